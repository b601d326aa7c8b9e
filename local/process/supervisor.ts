import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { OwnedState } from '../state.ts';
import { identify } from './identity.ts';
import { openLog, tail } from './log.ts';
import { endProcess, killGroup, type StopRules, stopWaves } from './stop.ts';

/** At most `limit` restarts in any `windowMs`. */
export type RestartPolicy = { limit: number; windowMs: number };

/** What a child is, how it is known to be healthy, and how it ends. */
export type ChildSpec = StopRules & {
  /** Names its log, `logs/<name>.log`, and its place in state.json. */
  name: string;
  command: string;
  args: readonly string[];
  /** Added to this process's own environment and the state folder's TMPDIR; undefined removes a variable. */
  env?: Readonly<Record<string, string | undefined>>;
  cwd?: string;
  /** The system account to run under; default this process's own. */
  account?: { uid: number; gid: number } | null;
  /** Healthy: true. Not yet: false or an error, whose message is shown when the time is up. */
  isReady(): Promise<boolean>;
  readyWithinMs: number;
  /** What to do when it ends by itself after it was healthy: null reports it, else it is started again. */
  restart: RestartPolicy | null;
};

/** A healthy child. After a restart `pid` is the new one's. */
export type Child = { readonly name: string; readonly pid: number; readonly log: string };

/** Something that happened to a child while nobody was waiting for it. */
export type ChildEvent = { child: string; kind: 'crashed' | 'restarted' | 'gave-up'; message: string };

/** A child died before it was healthy, or was not healthy in time; the message ends with its log's last lines. */
export class ChildError extends Error {
  override name = 'ChildError';
}

const PROBE_EVERY_MS = 100;
const FIRST_BACKOFF_MS = 500;

type Running = {
  spec: ChildSpec;
  process: ChildProcess;
  log: string;
  /** Resolves with the reason when the process has ended; never rejects. */
  ended: Promise<string>;
  /** Set once it was asked to stop: its end is then no crash. */
  stopping: boolean;
};

/**
 * Starts, watches and stops the twin's child processes. Each runs in a process group of its own: Ctrl-C in a terminal
 * goes to the whole foreground group, and would otherwise stop PostgreSQL and Connect at once instead of in order.
 */
export class Supervisor {
  readonly #state: OwnedState;
  readonly #onEvent: (event: ChildEvent) => void;
  readonly #running = new Map<string, Running>();
  readonly #restarts = new Map<string, number[]>();
  readonly #recoveries = new Set<Promise<void>>();
  readonly #closing = new AbortController();

  constructor(state: OwnedState, onEvent: (event: ChildEvent) => void) {
    this.#state = state;
    this.#onEvent = onEvent;
    // A child that was killed has left its temporary files.
    rmSync(state.paths.temporary, { recursive: true, force: true });
    mkdirSync(state.paths.temporary, { recursive: true });
  }

  /**
   * Starts a child and waits until it is healthy.
   * @throws ChildError when it dies first or isn't healthy in time (it is then ended), or when all are being stopped.
   */
  async start(spec: ChildSpec): Promise<Child> {
    if (this.#running.has(spec.name)) throw new Error(`The child ${spec.name} is running already.`);
    await this.#launch(spec);
    return this.#view(spec.name);
  }

  /** Stops one child; one that isn't running is left alone. */
  async stop(name: string): Promise<void> {
    const running = this.#running.get(name);
    if (running === undefined) return;
    running.stopping = true;
    const identity = this.#state.read().children[name];
    if (identity !== undefined) await endProcess(identity, running.spec);
    await running.ended;
  }

  /** Stops every child in the declared order. Nothing can be started afterwards. */
  async stopAll(): Promise<void> {
    this.#closing.abort();
    for (const running of this.#running.values()) running.stopping = true;
    const specs = Object.fromEntries([...this.#running].map(([name, { spec }]) => [name, spec]));
    for (const wave of stopWaves(specs)) await Promise.all(wave.map((name) => this.stop(name)));
    await Promise.all(this.#recoveries);
  }

  async #launch(spec: ChildSpec): Promise<void> {
    if (this.#closing.signal.aborted)
      throw new ChildError(`${spec.name} is not started: the twin is stopping.`);
    const running = this.#spawn(spec);
    this.#running.set(spec.name, running);
    const problem = await untilReady(running, this.#closing.signal);
    if (problem !== null) {
      await this.stop(spec.name);
      throw new ChildError(`${spec.name} ${problem}\n${logTail(running.log)}`);
    }
    running.ended.then((reason) => {
      if (!running.stopping) this.#crashed(running, reason);
    });
  }

  #spawn(spec: ChildSpec): Running {
    const log = join(this.#state.paths.logs, `${spec.name}.log`);
    const descriptor = openLog(log);
    const child = spawn(spec.command, spec.args, {
      cwd: spec.cwd ?? this.#state.paths.root,
      env: { ...process.env, TMPDIR: this.#state.paths.temporary, ...spec.env },
      detached: true,
      stdio: ['ignore', descriptor, descriptor],
      ...(spec.account ?? {}),
    });
    closeSync(descriptor);
    this.#remember(spec, child.pid, log);
    const ended = untilEnded(child).then((reason) => {
      if (child.pid !== undefined) killGroup(child.pid);
      this.#forget(spec.name);
      return reason;
    });
    return { spec, process: child, log, ended, stopping: false };
  }

  #remember(
    { name, stopSignal, stopWithinMs, stopAfter }: ChildSpec,
    pid: number | undefined,
    log: string,
  ): void {
    const identity = pid === undefined ? null : identify(pid);
    if (identity === null) return;
    const since = new Date().toISOString();
    this.#state.update((state) => {
      state.children[name] = { ...identity, stopSignal, stopWithinMs, stopAfter: [...stopAfter], log, since };
    });
  }

  #forget(name: string): void {
    this.#running.delete(name);
    this.#state.update((state) => {
      delete state.children[name];
    });
  }

  #crashed({ spec, log }: Running, reason: string): void {
    this.#report(spec.name, 'crashed', `${spec.name} ${reason}\n${logTail(log)}`);
    const recovery = this.#recover(spec).finally(() => this.#recoveries.delete(recovery));
    this.#recoveries.add(recovery);
  }

  async #recover(spec: ChildSpec): Promise<void> {
    while (!this.#closing.signal.aborted && spec.restart !== null) {
      const { limit, windowMs } = spec.restart;
      const recent = (this.#restarts.get(spec.name) ?? []).filter((at) => at > Date.now() - windowMs);
      if (recent.length >= limit) {
        const message = `${spec.name} was started again ${limit} times within ${windowMs / 1000} s and is now left stopped; see its log.`;
        return this.#report(spec.name, 'gave-up', message);
      }
      this.#restarts.set(spec.name, [...recent, Date.now()]);
      await pause(FIRST_BACKOFF_MS * 2 ** recent.length, null, { signal: this.#closing.signal }).catch(
        () => {},
      );
      try {
        await this.#launch(spec);
        return this.#report(
          spec.name,
          'restarted',
          `${spec.name} runs again as process ${this.#view(spec.name).pid}.`,
        );
      } catch (error) {
        if (!this.#closing.signal.aborted) this.#report(spec.name, 'crashed', (error as Error).message);
      }
    }
  }

  #report(child: string, kind: ChildEvent['kind'], message: string): void {
    this.#onEvent({ child, kind, message });
  }

  #view(name: string): Child {
    const { logs } = this.#state.paths;
    const running = this.#running;
    return {
      name,
      log: join(logs, `${name}.log`),
      get pid() {
        const pid = running.get(name)?.process.pid;
        if (pid === undefined) throw new Error(`The child ${name} is not running.`);
        return pid;
      },
    };
  }
}

function untilEnded(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`));
    child.once('exit', (code, signal) =>
      resolve(signal === null ? `ended with code ${code}` : `was ended by ${signal}`),
    );
  });
}

/** Null when it is healthy, else what went wrong. */
async function untilReady({ spec, ended }: Running, closing: AbortSignal): Promise<string | null> {
  const died = ended.then((reason) => `${reason} before it was healthy. The end of its log:`);
  const late = pause(spec.readyWithinMs, 'late' as const, { ref: false });
  let lastError = '';
  while (!closing.aborted) {
    const probe = spec.isReady().catch((error: Error) => {
      lastError = ` (${error.message})`;
      return false;
    });
    const outcome = await Promise.race([
      died,
      late,
      probe.then((ready) => ready || pause(PROBE_EVERY_MS, false)),
    ]);
    if (outcome === true) return null;
    if (outcome === 'late')
      return `was not healthy within ${spec.readyWithinMs / 1000} s${lastError}. The end of its log:`;
    if (outcome !== false && !closing.aborted) return outcome;
  }
  return 'was stopped before it was healthy.';
}

function logTail(log: string): string {
  return `--- ${log}\n${tail(log)}\n---`;
}
