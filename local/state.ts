import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { identify, isAlive, type ProcessIdentity } from './process/identity.ts';
import { type FileLock, tryLock } from './process/lock.ts';
import { endProcess, type StopRules, stopWaves } from './process/stop.ts';
import { TwinError } from './twin-error.ts';
import { UsageError } from './usage-error.ts';

/** The checkout that this code runs from. */
export const PROJECT_ROOT = resolve(import.meta.dirname, '..');

/** Everything that a twin keeps, by absolute path. */
export type StatePaths = {
  root: string;
  /** `state.json`: ports, URLs with their passwords, owner and children; readable by its owner only. */
  state: string;
  /** `secrets.json`, readable by its owner only. */
  secrets: string;
  lock: string;
  logs: string;
  postgres: string;
  kafka: string;
  connect: string;
  /** What S3 shows, one folder a bucket. */
  lake: string;
  /** Iceberg's catalog, a SQLite file. */
  catalog: string;
  /** Temporary files of the children, emptied at each start. */
  temporary: string;
};

/** A child that runs, with what another process needs to end it. */
export type ChildRecord = ProcessIdentity & StopRules & { log: string; since: string };

/** The content of `state.json`. */
export type TwinState = {
  version: 1;
  /** The process that runs the twin; it may have died without a word. */
  owner: ProcessIdentity | null;
  ports: Record<string, number>;
  urls: Record<string, string>;
  children: Record<string, ChildRecord>;
  /** Folders outside the state folder that belong to it, removed with it. */
  outside: string[];
};

/** The content of `secrets.json`. */
export type Secrets = {
  /** Debezium's unavailable.value.placeholder: 128 random bits in hex, never changed. */
  placeholder: string;
  /** Passwords of database roles by name. */
  passwords: Record<string, string>;
};

/** A state folder that this process owns until `release` or its end. */
export type OwnedState = {
  paths: StatePaths;
  read(): Readonly<TwinState>;
  /** Changes state.json at once, so that a kill -9 right afterwards loses nothing. */
  update(change: (state: TwinState) => void): void;
  release(): void;
};

/** The state folder has an owner already. */
export class AlreadyRunningError extends Error {
  override name = 'AlreadyRunningError';
}

const STOP_WITHIN_MS = 180_000;
const EMPTY: TwinState = { version: 1, owner: null, ports: {}, urls: {}, children: {}, outside: [] };

/** Where the state lives: the option, else CDC_STATE, else `.cdc` in the checkout. Always absolute. */
export function stateRoot(option?: string): string {
  return resolve(option ?? process.env['CDC_STATE'] ?? join(PROJECT_ROOT, '.cdc'));
}

export function statePaths(root: string): StatePaths {
  const at = (name: string) => join(root, name);
  return {
    root,
    state: at('state.json'),
    secrets: at('secrets.json'),
    lock: at('owner.lock'),
    logs: at('logs'),
    postgres: at('postgres'),
    kafka: at('kafka'),
    connect: at('connect'),
    lake: at('lake'),
    catalog: at('catalog.db'),
    temporary: at('temporary'),
  };
}

/** What the twin of this folder last wrote; null when there has been none. */
export function readState(root: string): TwinState | null {
  return readJson<TwinState>(statePaths(root).state);
}

/** The process that runs the twin of this folder now, or null. */
export function runningOwner(root: string): ProcessIdentity | null {
  const owner = readState(root)?.owner ?? null;
  return owner !== null && isAlive(owner) ? owner : null;
}

/**
 * Makes this process the owner of a state folder, which is made if missing, and ends the children that an owner killed
 * before has left behind (`onOrphan` is told each one's name).
 * @throws AlreadyRunningError when another process owns it; UsageError when the folder can't serve.
 */
export async function ownState(root: string, onOrphan: (name: string) => void): Promise<OwnedState> {
  assertUsable(root);
  const paths = statePaths(root);
  // PostgreSQL may run under another account, which must be able to enter.
  try {
    mkdirSync(root, { recursive: true, mode: 0o755 });
  } catch (error) {
    throw new UsageError(
      `${root} can't be made (${(error as Error).message}); name another folder with --state.`,
      { cause: error },
    );
  }
  const lock = tryLock(paths.lock);
  if (lock === null) throw alreadyRunning(root);
  try {
    const owned = ownedState(paths, lock);
    owned.update((state) => {
      state.owner = identify(process.pid);
    });
    await endChildren(owned, onOrphan);
    return owned;
  } catch (error) {
    lock.release();
    throw error;
  }
}

function ownedState(paths: StatePaths, lock: FileLock): OwnedState {
  const state = readState(paths.root) ?? structuredClone(EMPTY);
  const write = () => writeJson(paths.state, state);
  return {
    paths,
    read: () => state,
    update: (change) => {
      change(state);
      write();
    },
    release: () => {
      state.owner = null;
      write();
      lock.release();
    },
  };
}

/**
 * Stops the twin of a state folder from any process: its owner ends its children in order; without an owner, the
 * children left behind are ended here. Returns whether anything ran.
 */
export async function stopTwin(root: string, onOrphan: (name: string) => void): Promise<boolean> {
  const paths = statePaths(root);
  if (!existsSync(paths.state)) return false;
  const owner = runningOwner(root);
  if (owner !== null) await endOwner(owner);
  let orphans = 0;
  const owned = await ownState(root, (name) => {
    orphans += 1;
    onOrphan(name);
  });
  owned.release();
  return owner !== null || orphans > 0;
}

async function endOwner(owner: ProcessIdentity): Promise<void> {
  process.kill(owner.pid, 'SIGTERM');
  for (const deadline = Date.now() + STOP_WITHIN_MS; isAlive(owner); await pause(100)) {
    if (Date.now() > deadline) {
      throw new TwinError(
        `Process ${owner.pid} has not ended ${STOP_WITHIN_MS / 1000} s after SIGTERM; run "kill -9 ${owner.pid}" and stop again.`,
      );
    }
  }
}

/**
 * Removes a state folder and what it keeps elsewhere, after its children have been stopped.
 * Returns whether there was anything.
 * @throws AlreadyRunningError while it has an owner; UsageError when the folder is no state folder.
 */
export async function removeState(root: string): Promise<boolean> {
  if (!existsSync(root)) return false;
  const owned = await ownState(root, () => {});
  for (const folder of [...owned.read().outside, root]) rmSync(folder, { recursive: true, force: true });
  return true;
}

async function endChildren(owned: OwnedState, onOrphan: (name: string) => void): Promise<void> {
  const children = { ...owned.read().children };
  for (const wave of stopWaves(children)) {
    await Promise.all(
      wave.map(async (name) => {
        const child = children[name] as ChildRecord;
        if (isAlive(child)) {
          onOrphan(name);
          await endProcess(child, child);
        }
        owned.update((state) => {
          delete state.children[name];
        });
      }),
    );
  }
}

/**
 * The secrets of a state folder, those of these roles made when missing. Only the owner calls this.
 */
export function ensureSecrets(paths: StatePaths, roles: readonly string[]): Secrets {
  const { placeholder = randomBytes(16).toString('hex'), passwords = {} } =
    readJson<Partial<Secrets>>(paths.secrets) ?? {};
  for (const role of roles) passwords[role] ??= randomBytes(12).toString('hex');
  const secrets = { placeholder, passwords };
  writeJson(paths.secrets, secrets);
  return secrets;
}

/**
 * Whether a folder can hold a twin's state: Java class paths are split at colons, Kafka's folder lists at commas, and
 * neither can be escaped. @throws UsageError when not
 */
export function assertUsable(root: string): void {
  for (const folder of [root, PROJECT_ROOT]) {
    if (/[:,\n]/.test(folder)) {
      throw new UsageError(
        `The folder ${folder} has a colon or a comma in its path, which Java and Kafka can't take; use another.`,
      );
    }
  }
  if (!existsSync(root)) return;
  if (!statSync(root).isDirectory()) throw notAFolder(root);
  const foreign =
    !existsSync(statePaths(root).state) &&
    readdirSync(root).some((name) => !/^(owner.lock|state.json)/.test(name));
  if (foreign)
    throw new UsageError(`${root} is not empty and not a state folder; name an empty or a new one.`);
}

function notAFolder(root: string): UsageError {
  return new UsageError(`${root} is not a folder; name another with --state.`);
}

function alreadyRunning(root: string): AlreadyRunningError {
  const pid = readState(root)?.owner?.pid;
  const who = pid === undefined ? 'by another process' : `as process ${pid}`;
  return new AlreadyRunningError(
    `The twin of ${root} is running already ${who}. Stop it first, or choose another folder with --state.`,
  );
}

function readJson<T>(file: string): T | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    if (code === 'ENOTDIR') throw notAFolder(dirname(file));
    if (code === 'EACCES') throw new UsageError(`${file} belongs to another user.`, { cause: error });
    throw error;
  }
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new UsageError(`${file} is not valid JSON; remove the state folder, or restore the file.`, {
      cause: error,
    });
  }
}

/** A reader sees the old file or the new one, never half of it; both files hold passwords, the folder is open to all. */
function writeJson(file: string, value: unknown): void {
  const next = `${file}.${process.pid}`;
  writeFileSync(next, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(next, file);
}
