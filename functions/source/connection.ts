import { readFileSync } from 'node:fs';
import pg from 'pg';
import type { SourceConnection } from '../cdc/connector-config.ts';
import { connectInOrder, type Ssl, sslWays, verifiesServer } from '../cdc/sslmode.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const STATEMENT_TIMEOUT_MS = 60_000;

/**
 * Runs `use` on a connection and closes it.
 * @throws Error that names host, port, database and user when the source can't be reached.
 */
export async function withSource<Answer>(
  connection: SourceConnection,
  use: (client: pg.Client) => Promise<Answer>,
): Promise<Answer> {
  const client = await connect(connection).catch((error: Error & { code?: string }) => {
    const { host, port, database, user } = connection;
    throw new Error(
      `Can't connect to the source ${database} at ${host}:${port} as ${user}: ${error.message || error.code}. Check address, user, password, pg_hba.conf and sslmode.`,
      { cause: error },
    );
  });
  try {
    return await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function connect(connection: SourceConnection): Promise<pg.Client> {
  const ways = sslWays(connection.sslmode, authorityOf(connection));
  return connectInOrder(ways, (ssl) => connectBy(connection, ssl));
}

/** As for libpq, PGSSLROOTCERT names the file with the authorities. */
function authorityOf({ sslmode }: SourceConnection): string | undefined {
  const file = process.env['PGSSLROOTCERT'];
  return file && verifiesServer(sslmode) ? readFileSync(file, 'utf8') : undefined;
}

async function connectBy(
  { host, port, database, user, password }: SourceConnection,
  ssl: Ssl,
): Promise<pg.Client> {
  const client = new pg.Client({
    host,
    port,
    database,
    user,
    password,
    ssl,
    application_name: 'cdc-source',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
  });
  // A connection that breaks between two queries fails the next one; without a listener it would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}
