import { readFileSync } from 'node:fs';
import pg from 'pg';
import type { SourceConnection } from '../cdc/connector-config.ts';
import type { UrlConnection } from '../cdc/source-url.ts';
import { connectInOrder, type Ssl, sslWays, verifiesServer } from '../cdc/sslmode.ts';

/** The source can't be reached, or refuses the user; `cause` is the driver's error. */
export class SourceUnreachableError extends Error {
  override name = 'SourceUnreachableError';
}

/** How a function connects: the name that the server shows for it, and how long it waits (ms). */
export type Manner = { application: string; connectWithinMs: number; statementWithinMs: number };

/**
 * Runs `use` on a connection and closes it.
 * @throws SourceUnreachableError that names host, port, database and user when the source can't be reached.
 */
export async function withSource<Answer>(
  connection: UrlConnection,
  manner: Manner,
  use: (client: pg.Client) => Promise<Answer>,
): Promise<Answer> {
  const client = await connect(connection, manner).catch((error: Error & { code?: string }) => {
    const { host, port, database, user } = connection;
    throw new SourceUnreachableError(
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

async function connect(connection: UrlConnection, manner: Manner): Promise<pg.Client> {
  const ways = sslWays(connection.sslmode, authorityOf(connection));
  return connectInOrder(ways, (ssl) => connectBy(connection, manner, ssl));
}

/** As for libpq, PGSSLROOTCERT names the file with the authorities where the connection does not. */
function authorityOf({ sslmode, sslrootcert }: UrlConnection): string | undefined {
  const file = sslrootcert ?? process.env['PGSSLROOTCERT'];
  return file && verifiesServer(sslmode) ? readFileSync(file, 'utf8') : undefined;
}

async function connectBy(
  { host, port, database, user, password }: SourceConnection,
  { application, connectWithinMs, statementWithinMs }: Manner,
  ssl: Ssl,
): Promise<pg.Client> {
  const client = new pg.Client({
    host,
    port,
    database,
    user,
    password,
    ssl,
    application_name: application,
    connectionTimeoutMillis: connectWithinMs,
    statement_timeout: statementWithinMs,
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
