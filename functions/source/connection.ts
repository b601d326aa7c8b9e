import { readFileSync } from 'node:fs';
import pg from 'pg';
import type { SourceConnection } from '../cdc/connector-config.ts';

const DEFAULT_PORT = 5432;
const CONNECT_TIMEOUT_MS = 10_000;
const STATEMENT_TIMEOUT_MS = 60_000;
const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'];

/**
 * Reads `postgres://user:password@host:port/database?sslmode=...`, the form that libpq takes.
 * @throws Error that says what is wrong; it never repeats the password.
 */
export function parseSourceUrl(text: string): SourceConnection {
  const example = 'expected postgres://user:password@host:5432/database?sslmode=require';
  if (!URL.canParse(text)) throw new Error(`The source's URL can't be read; ${example}.`);
  const url = new URL(text);
  if (!['postgres:', 'postgresql:'].includes(url.protocol)) {
    throw new Error(`The source's URL begins with ${url.protocol}//; ${example}.`);
  }
  const database = decodeURIComponent(url.pathname.slice(1));
  const user = decodeURIComponent(url.username);
  if (url.hostname === '' || database === '' || user === '') {
    throw new Error(`The source's URL names no host, no user or no database; ${example}.`);
  }
  const sslmode = url.searchParams.get('sslmode') ?? 'disable';
  if (!SSL_MODES.includes(sslmode)) {
    throw new Error(`The source's URL has sslmode=${sslmode}; use one of ${SSL_MODES.join(', ')}.`);
  }
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    database,
    user,
    password: decodeURIComponent(url.password),
    sslmode,
  };
}

/**
 * The options of a pg client. As in libpq, `require` encrypts without looking at the certificate; the verify modes
 * check it against Node's authorities (NODE_EXTRA_CA_CERTS adds one, such as Amazon RDS's) or PGSSLROOTCERT's file.
 */
export function clientOptions(connection: SourceConnection): pg.ClientConfig {
  const { host, port, database, user, password, sslmode } = connection;
  return {
    host,
    port,
    database,
    user,
    password,
    ssl: sslOptions(sslmode),
    application_name: 'cdc-source',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
  };
}

function sslOptions(sslmode: string): NonNullable<pg.ClientConfig['ssl']> {
  if (['disable', 'allow', 'prefer'].includes(sslmode)) return false;
  if (sslmode === 'require') return { rejectUnauthorized: false };
  const authority = process.env['PGSSLROOTCERT'];
  return {
    rejectUnauthorized: true,
    ...(authority === undefined ? {} : { ca: readFileSync(authority, 'utf8') }),
    // verify-ca trusts every certificate of the authority, whatever host it names.
    ...(sslmode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
  };
}

/**
 * Runs `use` on a connection and closes it.
 * @throws Error that names host, port, database and user when the source can't be reached.
 */
export async function withSource<Answer>(
  connection: SourceConnection,
  use: (client: pg.Client) => Promise<Answer>,
): Promise<Answer> {
  const client = new pg.Client(clientOptions(connection));
  // A connection that breaks between two queries fails the next one; without a listener it would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => undefined);
    const { host, port, database, user } = connection;
    throw new Error(
      `Can't connect to the source ${database} at ${host}:${port} as ${user}: ${(error as Error).message}. Check address, user, password, pg_hba.conf and sslmode.`,
      { cause: error },
    );
  }
  try {
    return await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
