import { execFile } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Client, escapeIdentifier, escapeLiteral } from 'pg';
import type { ChildSpec, Supervisor } from '../process/supervisor.ts';
import { ensureSecrets, type OwnedState } from '../state.ts';
import { withDatabase } from './client.ts';
import { type PostgresPlace, postgresPlace } from './place.ts';

const HOST = '127.0.0.1';
const SUPERUSER = 'postgres';
const CONNECT_WITHIN_MS = 5_000;
/** The sample application's database and the role that owns its tables. */
export const SHOP = 'shop';

/** How to reach the twin's PostgreSQL. URLs hold the password. */
export type PostgresUrls = {
  /** The application: owner of the tables of the database `shop`. */
  shop: string;
  /** The superuser, in the same database: sets the source up. */
  admin: string;
};

/**
 * The twin's server. fsync is off: a crash of PostgreSQL loses nothing, a crash of the machine may lose the twin's
 * data, which `clean` and a new start bring back. Everything that decides what Debezium sees is as on a real server.
 */
const SETTINGS = {
  wal_level: 'logical',
  listen_addresses: HOST,
  // The default folder for sockets may be missing, or not be ours.
  unix_socket_directories: '',
  max_connections: '50',
  max_replication_slots: '10',
  max_wal_senders: '10',
  shared_buffers: '128MB',
  max_wal_size: '2GB',
  fsync: 'off',
  full_page_writes: 'off',
  timezone: 'UTC',
  log_line_prefix: '%m [%p] %q%u@%d ',
} as const;

/**
 * Makes the data folder if needed, starts PostgreSQL, waits until it answers, and makes the database `shop` with its
 * owner. `report` is told in words what takes long or is out of the ordinary.
 */
export async function startPostgres(
  supervisor: Supervisor,
  state: OwnedState,
  port: number,
  report: (message: string) => void,
): Promise<PostgresUrls> {
  const { passwords } = ensureSecrets(state.paths, [SUPERUSER, SHOP]);
  const place = postgresPlace(state, report);
  if (!existsSync(join(place.data, 'PG_VERSION'))) await initialise(place, passwords[SUPERUSER] as string);
  const url = (role: string, database: string) =>
    `postgresql://${role}:${passwords[role]}@${HOST}:${port}/${database}`;
  await supervisor.start(postgresChild(place, port, url(SUPERUSER, SUPERUSER)));
  await ensureDatabase(url(SUPERUSER, SUPERUSER), passwords[SHOP] as string);
  return { shop: url(SHOP, SHOP), admin: url(SUPERUSER, SHOP) };
}

function postgresChild({ bin, data, account }: PostgresPlace, port: number, url: string): ChildSpec {
  const settings = Object.entries({ ...SETTINGS, port: String(port) });
  return {
    name: 'postgres',
    command: join(bin, 'postgres'),
    args: ['-D', data, ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    // The account may not be able to enter the folder that this process was started in.
    cwd: '/',
    account,
    isReady: () => answers(url),
    readyWithinMs: 120_000,
    // Fast shutdown: ends sessions. SIGTERM would wait for clients to leave.
    stopSignal: 'SIGINT',
    stopWithinMs: 40_000,
    stopAfter: ['connect'],
    restart: null,
  };
}

/** initdb works in a folder aside, so that an interrupted one leaves nothing that looks complete. */
async function initialise({ bin, data, account }: PostgresPlace, password: string): Promise<void> {
  const aside = `${data}.new`;
  const passwordFile = `${data}.password`;
  rmSync(aside, { recursive: true, force: true });
  mkdirSync(aside, { mode: 0o700, recursive: true });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (account !== null) for (const path of [aside, passwordFile]) chownSync(path, account.uid, account.gid);
  const locale = process.platform === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8';
  const options = ['-U', SUPERUSER, '-A', 'scram-sha-256', '-E', 'UTF8', `--locale=${locale}`, '--no-sync'];
  try {
    await promisify(execFile)(join(bin, 'initdb'), ['-D', aside, `--pwfile=${passwordFile}`, ...options], {
      cwd: '/',
      ...(account === null ? {} : { uid: account.uid, gid: account.gid }),
    });
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new Error(`initdb could not make ${aside}: ${stderr || (error as Error).message}`, {
      cause: error,
    });
  } finally {
    rmSync(passwordFile, { force: true });
  }
  renameSync(aside, data);
}

async function answers(url: string): Promise<boolean> {
  const look = (client: Client) => client.query('SELECT 1');
  return withDatabase(url, look, CONNECT_WITHIN_MS).then(() => true);
}

async function ensureDatabase(url: string, password: string): Promise<void> {
  await withDatabase(url, async (client) => {
    const role = escapeIdentifier(SHOP);
    const roles = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [SHOP]);
    const verb = roles.rowCount === 0 ? 'CREATE' : 'ALTER';
    await client.query(`${verb} ROLE ${role} LOGIN PASSWORD ${escapeLiteral(password)}`);
    const databases = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [SHOP]);
    if (databases.rowCount === 0) await client.query(`CREATE DATABASE ${role} OWNER ${role}`);
  });
}
