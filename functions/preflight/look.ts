import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SourceConnection } from '../cdc/connector-config.ts';
import { IDENTITY_QUERY, type IdentityRow, SLOT_QUERY, type SlotRow } from '../cdc/source-queries.ts';
import { sourceConnection } from '../cdc/source-url.ts';
import { withSource } from '../source-database/connection.ts';
import { roleConnection } from '../source-database/secret.ts';
import type { PreflightConfig } from './config.ts';
import type { ConnectAnswer, ConnectorStatus } from './warnings.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const MANNER = { application: 'cdc-preflight', connectWithinMs: 5_000, statementWithinMs: 5_000 };

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
    return await withSource(connection, MANNER, async (client) => {
      const { rows: identities } = await client.query<IdentityRow>(IDENTITY_QUERY);
      const { rows: slots } = await client.query<SlotRow>(SLOT_QUERY, [slot]);
      return { identity: identities[0] as IdentityRow, slot: slots[0] ?? null };
    });
  } catch (error) {
    return { unreachable: reasonOf(error) };
  }
}

/** How to reach the source, from its URL or its secrets. @throws Error that names what is wrong with them. */
export async function connectionOf(
  source: PreflightConfig['source'],
  secrets: SecretsManagerClient,
): Promise<SourceConnection> {
  if ('url' in source) return sourceConnection(source.url);
  return roleConnection(secrets, source.secrets, source.address);
}

function reasonOf(error: unknown): string {
  const { message, cause, code } = error as Error & { code?: string };
  return (cause as Error | undefined)?.message ?? (message || code || 'unknown error');
}
