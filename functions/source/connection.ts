import { readFileSync } from 'node:fs';
import pg from 'pg';
import type { SourceConnection } from '../cdc/connector-config.ts';

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

/** `prefer` encrypts where the server can, `allow` only where it must: libpq tries the one way and then the other. */
async function connect(connection: SourceConnection): Promise<pg.Client> {
  const ways = { prefer: ['require', 'disable'], allow: ['disable', 'require'] }[connection.sslmode];
  if (ways === undefined) return connectBy(connection);
  const [first, second] = ways as [string, string];
  try {
    return await connectBy({ ...connection, sslmode: first });
  } catch (error) {
    if (!/does not support SSL|no encryption|no pg_hba.conf entry/.test((error as Error).message))
      throw error;
    return connectBy({ ...connection, sslmode: second });
  }
}

async function connectBy({
  host,
  port,
  database,
  user,
  password,
  sslmode,
}: SourceConnection): Promise<pg.Client> {
  const client = new pg.Client({
    host,
    port,
    database,
    user,
    password,
    ssl: sslOptions(sslmode),
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

/**
 * As in libpq, `require` encrypts without looking at the certificate; the verify modes check it against Node's
 * authorities (NODE_EXTRA_CA_CERTS adds one, such as Amazon RDS's) or those in PGSSLROOTCERT's file.
 */
function sslOptions(sslmode: string): NonNullable<pg.ClientConfig['ssl']> {
  if (sslmode === 'disable') return false;
  if (sslmode === 'require') return { rejectUnauthorized: false };
  if (!['verify-ca', 'verify-full'].includes(sslmode)) {
    throw new Error(
      `sslmode=${sslmode} is not one of disable, allow, prefer, require, verify-ca, verify-full`,
    );
  }
  const authority = process.env['PGSSLROOTCERT'];
  return {
    rejectUnauthorized: true,
    ...(authority === undefined ? {} : { ca: readFileSync(authority, 'utf8') }),
    // verify-ca trusts every certificate of the authority, whatever host it names.
    ...(sslmode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
  };
}
