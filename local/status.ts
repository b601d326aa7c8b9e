/** How the twin stands: its children, and for each table how far it has come from source to gold. */
import { S3Client } from '@aws-sdk/client-s3';
import type { Client } from 'pg';
import { connectorName, slotName } from '../functions/cdc/connector-config.ts';
import type { Deployment } from '../functions/cdc/names.ts';
import type { Registry } from '../functions/cdc/registry.ts';
import { readCondition } from '../functions/connector/apply.ts';
import { ConnectApi } from '../functions/connector/connect-api.ts';
import { clientSettings } from './aws/platform.ts';
import { readLsns } from './caught-up.ts';
import { inLake, type LayerReports, layersOf, modelsOf, readLatestReports } from './lake-status.ts';
import { pipeStatusFile } from './pipe/child.ts';
import { type PipeStatus, readStatus } from './pipe/status.ts';
import { withDatabase } from './postgres/client.ts';
import { isAlive } from './process/identity.ts';
import type { TwinState } from './state.ts';
import { lakeBucket, type TwinUrls } from './twin.ts';
import type { PartStatus, Status, TableStatus } from './world.ts';

/** Above this many rows the planner's estimate is shown: counting them would take long. */
const COUNTED_ROWS = 1_000_000;
const CONNECT_WITHIN_MS = 2_000;

export type StatusInput = {
  readonly root: string;
  readonly state: Readonly<TwinState>;
  readonly registry: Registry;
  readonly deployment: Deployment;
};

/** Reads everything that can be read now; what doesn't answer is null. */
export async function readTwinStatus(input: StatusInput): Promise<Status> {
  const urls = input.state.urls as Partial<TwinUrls>;
  const [pipe, reports, source, connector] = await Promise.all([
    readStatus(pipeStatusFile(input.root)).catch(() => null),
    urls.endpoint ? latestReports(urls.endpoint, lakeBucket(input.deployment)) : {},
    urls.source ? readSource(urls.source, input).catch(() => null) : null,
    urls.connect
      ? readCondition(new ConnectApi(urls.connect), connectorName(input.deployment)).catch(() => null)
      : null,
  ]);
  return {
    place: placeOf(input.root),
    parts: Object.entries(input.state.children).map(partOf),
    addresses: shownAddresses(input.state.urls),
    connector,
    slot: source?.slot ?? null,
    tables: input.registry.tables.map((table) => tableStatus(table, pipe, reports, source?.rows ?? {})),
    models: modelsOf(reports),
    layers: layersOf(reports),
    alarms: null,
  };
}

/** The twin of a state folder, for people. */
export function placeOf(root: string): string {
  return `the twin in ${root}`;
}

function partOf([name, child]: [string, TwinState['children'][string]]): PartStatus {
  const ok = isAlive(child);
  return {
    part: name,
    state: ok ? 'running' : 'dead',
    ok,
    since: child.since,
    detail: `pid ${child.pid}, ${child.log}`,
  };
}

/** The replication role's address is the twin's own business. */
function shownAddresses({ heartbeat: _, ...urls }: Readonly<Record<string, string>>): Record<string, string> {
  return urls;
}

/** The newest report of each layer; a layer that has not run, or an endpoint that doesn't answer, has none. */
export async function latestReports(endpointUrl: string, bucket: string): Promise<LayerReports> {
  return readLatestReports(new S3Client({ ...clientSettings(endpointUrl), maxAttempts: 1 }), bucket).catch(
    () => ({}),
  );
}

function tableStatus(
  { id, topic }: Registry['tables'][number],
  pipe: PipeStatus | null,
  reports: LayerReports,
  rows: Readonly<Record<string, number>>,
): TableStatus {
  const onPipe = pipe?.topics[topic];
  return {
    table: id,
    source_rows: rows[id] ?? null,
    pipe: onPipe ? pipeWord(onPipe) : null,
    lag: onPipe?.lag ?? null,
    landed: onPipe?.records ?? null,
    ...inLake(id, reports),
  };
}

function pipeWord({ state, lastError }: PipeStatus['topics'][string]): string {
  return state === 'stalled' && lastError ? `stalled: ${lastError.message}` : state;
}

async function readSource(
  url: string,
  { registry, deployment }: StatusInput,
): Promise<{ rows: Record<string, number>; slot: Status['slot'] }> {
  const read = async (client: Client) => {
    const rows: Record<string, number> = {};
    for (const { id, schema, table } of registry.tables) rows[id] = await countRows(client, schema, table);
    const { current, confirmed } = await readLsns(client, slotName(deployment));
    const slot = {
      confirmed_lsn: confirmed?.toString() ?? null,
      behind_bytes: confirmed === null ? null : (current - confirmed).toString(),
      problem: null,
    };
    return { rows, slot };
  };
  return withDatabase(url, read, CONNECT_WITHIN_MS);
}

async function countRows(client: Client, schema: string, table: string): Promise<number> {
  const name = `${client.escapeIdentifier(schema)}.${client.escapeIdentifier(table)}`;
  const estimate = await client.query<{ rows: number }>(
    'SELECT reltuples::float8 AS rows FROM pg_catalog.pg_class WHERE oid = $1::regclass',
    [name],
  );
  if ((estimate.rows[0]?.rows ?? 0) > COUNTED_ROWS) return Math.round(estimate.rows[0]?.rows ?? 0);
  const counted = await client.query<{ rows: string }>(`SELECT count(*) AS rows FROM ${name}`);
  return Number(counted.rows[0]?.rows);
}
