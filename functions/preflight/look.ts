import { readFileSync } from 'node:fs';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import pg from 'pg';
import { z } from 'zod';
import type { SourceConnection } from '../cdc/connector-config.ts';
import { parseSecret } from '../cdc/secret-text.ts';
import { IDENTITY_QUERY, type IdentityRow, SLOT_QUERY, type SlotRow } from '../cdc/source-queries.ts';
import { sourceConnection } from '../cdc/source-url.ts';
import { connectInOrder, SSL_MODES, type Ssl, sslWays, verifiesServer } from '../cdc/sslmode.ts';
import type { ConnectAnswer, ConnectorStatus } from './warnings.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const SOURCE_TIMEOUT_MS = 5_000;

/** What the source said, or why it said nothing. */
export type SourceLook = { unreachable: string } | { identity: IdentityRow; slot: SlotRow | null };

/** Asks Kafka Connect for its cluster and the connector's state. Never throws: silence is an answer, too. */
export async function lookAtConnect(url: string, connector: string): Promise<ConnectAnswer> {
  try {
    const { kafka_cluster_id: cluster } = await getJson<{ kafka_cluster_id: string }>(`${url}/`);
    const path = `/connectors/${encodeURIComponent(connector)}/status`;
    return { cluster, status: await getJson<ConnectorStatus>(url + path).catch(nullIfMissing) };
  } catch (error) {
    return { unreachable: `${url}: ${reasonOf(error)}` };
  }
}

class HttpError extends Error {
  readonly status: number;

  constructor(url: string, status: number) {
    super(`${url} answered ${status}`);
    this.status = status;
  }
}

async function getJson<Value>(url: string): Promise<Value> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS) });
  if (!answer.ok) throw new HttpError(url, answer.status);
  return (await answer.json()) as Value;
}

function nullIfMissing(error: unknown): null {
  if (error instanceof HttpError && error.status === 404) return null;
  throw error;
}

/** Asks the source who it is and how its slot stands. Never throws: silence is an answer, too. */
export async function lookAtSource(connection: SourceConnection, slot: string): Promise<SourceLook> {
  try {
    const ways = sslWays(connection.sslmode, authorityOf(connection));
    return await connectInOrder(ways, (ssl) => askSource(connection, ssl, slot));
  } catch (error) {
    return { unreachable: reasonOf(error) };
  }
}

/** As for libpq, PGSSLROOTCERT names the file with the authorities. */
function authorityOf({ sslmode }: SourceConnection): string | undefined {
  const file = process.env['PGSSLROOTCERT'];
  return file && verifiesServer(sslmode) ? readFileSync(file, 'utf8') : undefined;
}

async function askSource(
  { host, port, database, user, password }: SourceConnection,
  ssl: Ssl,
  slot: string,
): Promise<SourceLook> {
  const client = new pg.Client({
    host,
    port,
    database,
    user,
    password,
    ssl,
    application_name: 'cdc-preflight',
    connectionTimeoutMillis: SOURCE_TIMEOUT_MS,
    statement_timeout: SOURCE_TIMEOUT_MS,
  });
  // A connection that breaks between two queries fails the next one; without a listener it would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows: identities } = await client.query<IdentityRow>(IDENTITY_QUERY);
    const { rows: slots } = await client.query<SlotRow>(SLOT_QUERY, [slot]);
    return { identity: identities[0] as IdentityRow, slot: slots[0] ?? null };
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Amazon RDS writes its secrets in this form; `sslmode` is ours, and encrypted with a verified host by default. */
const connectionSecret = z.object({
  host: z.string().min(1),
  port: z.coerce.number().int().default(5432),
  dbname: z.string().min(1),
  username: z.string().min(1),
  password: z.string().min(1),
  sslmode: z.enum(SSL_MODES).default('verify-full'),
});

/** How to reach the source, from its URL or its secret. @throws Error that names what is wrong with it. */
export async function connectionOf(
  source: { url: string } | { secretId: string },
  secrets: SecretsManagerClient,
): Promise<SourceConnection> {
  if ('url' in source) return sourceConnection(source.url);
  const { SecretString: text } = await secrets.send(new GetSecretValueCommand({ SecretId: source.secretId }));
  const { host, port, dbname, username, password, sslmode } = parseSecret(
    source.secretId,
    text,
    connectionSecret,
  );
  return { host, port, database: dbname, user: username, password, sslmode };
}

function reasonOf(error: unknown): string {
  const { message, cause, code } = error as Error & { code?: string };
  return (cause as Error | undefined)?.message ?? (message || code || 'unknown error');
}
