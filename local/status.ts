/** How the twin stands: its children, and for each table how far it has come from source to gold. */
import { S3Client } from '@aws-sdk/client-s3';
import { Client } from 'pg';
import { connectorName, slotName } from '../functions/cdc/connector-config.ts';
import { type Deployment, type Layer, latestReportKey } from '../functions/cdc/names.ts';
import type { Registry } from '../functions/cdc/registry.ts';
import { type LayerReport, type TableReport, verdictOf } from '../functions/cdc/report.ts';
import { readCondition } from '../functions/connector/apply.ts';
import type { ConnectorCondition } from '../functions/connector/condition.ts';
import { ConnectApi } from '../functions/connector/connect-api.ts';
import { readJson } from '../functions/preflight/stored-json.ts';
import { clientSettings } from './aws/platform.ts';
import { readLsns } from './caught-up.ts';
import { pipeStatusFile } from './pipe/child.ts';
import { type PipeStatus, readStatus } from './pipe/status.ts';
import { isAlive } from './process/identity.ts';
import type { TwinState } from './state.ts';
import { lakeBucket, type TwinUrls } from './twin.ts';

/** Above this many rows the planner's estimate is shown: counting them would take long. */
const COUNTED_ROWS = 1_000_000;

export type ChildStatus = { name: string; pid: number; running: boolean; since: string; log: string };

/** One table from left to right. Null: not known yet. */
export type TableStatus = {
  table: string;
  source_rows: number | null;
  /** LSN of the newest event in bronze. */
  last_lsn: string | null;
  /** Records in Kafka that are in no landing file yet. */
  lag: number | null;
  /** Records landed since the pipe runner started. */
  landed: number | null;
  bronze: number | null;
  silver: number | null;
  quarantined: number | null;
  /** The last verdict of bronze's and silver's gates on it. */
  last_gate: string | null;
};

export type ModelStatus = { model: string; rows: number | null; last_gate: string | null };

export type Status = {
  children: ChildStatus[];
  urls: Readonly<Record<string, string>>;
  connector: ConnectorCondition | null;
  slot: { confirmed_lsn: string | null; behind_bytes: string | null } | null;
  tables: TableStatus[];
  models: ModelStatus[];
  /** The newest run of each layer: its id, when it ended, its verdict. */
  layers: {
    layer: Layer;
    run_id: string;
    finished_at: string;
    batch: number | null;
    verdict: string;
    reason: string;
  }[];
};

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
    urls.endpoint ? latestReports(urls.endpoint, lakeBucket(input.deployment)) : ({} as Reports),
    urls.source ? readSource(urls.source, input).catch(() => null) : null,
    urls.connect
      ? readCondition(new ConnectApi(urls.connect), connectorName(input.deployment)).catch(() => null)
      : null,
  ]);
  return {
    children: Object.entries(input.state.children).map(([name, child]) => ({
      name,
      pid: child.pid,
      running: isAlive(child),
      since: child.since,
      log: child.log,
    })),
    urls: input.state.urls,
    connector,
    slot: source?.slot ?? null,
    tables: input.registry.tables.map((table) => tableStatus(table, pipe, reports, source?.rows ?? {})),
    models: (reports.gold?.tables ?? []).map((entry) => ({
      model: entry.table,
      rows: entry.total_rows,
      last_gate: verdictOn(entry),
    })),
    layers: layersOf(reports),
  };
}

type Reports = Partial<Record<Layer, LayerReport>>;

/** The newest report of each layer; a layer that has not run, or an endpoint that doesn't answer, has none. */
export async function latestReports(endpointUrl: string, bucket: string): Promise<Reports> {
  const s3 = new S3Client({ ...clientSettings(endpointUrl), maxAttempts: 1 });
  const read = async (layer: Layer): Promise<[Layer, LayerReport] | null> => {
    const report = await readJson<LayerReport>(s3, bucket, latestReportKey(layer)).catch(() => undefined);
    return report ? [layer, report] : null;
  };
  const found = await Promise.all((['bronze', 'silver', 'gold'] as const).map(read));
  return Object.fromEntries(found.filter((entry) => entry !== null));
}

function tableStatus(
  { id, topic }: Registry['tables'][number],
  pipe: PipeStatus | null,
  { bronze, silver }: Reports,
  rows: Readonly<Record<string, number>>,
): TableStatus {
  const inBronze = bronze?.tables.find(({ table }) => table === id);
  const inSilver = silver?.tables.find(({ table }) => table === id);
  const onPipe = pipe?.topics[topic];
  return {
    table: id,
    source_rows: rows[id] ?? null,
    last_lsn: inSilver?.high_water_lsn ?? inBronze?.high_water_lsn ?? null,
    lag: onPipe?.lag ?? null,
    landed: onPipe?.records ?? null,
    bronze: inBronze?.total_rows ?? null,
    silver: inSilver?.total_rows ?? null,
    quarantined: inBronze?.quarantined ?? null,
    last_gate: inSilver ? verdictOn(inSilver) : inBronze ? verdictOn(inBronze) : null,
  };
}

function verdictOn({ held, checks }: TableReport): string {
  if (held !== null) return `held: ${held}`;
  const broken = checks.filter(({ passed }) => !passed);
  if (broken.some(({ severity }) => severity === 'fail')) return 'fail';
  return broken.length > 0 ? `warn: ${broken.map(({ name }) => name).join(', ')}` : 'pass';
}

function layersOf(reports: Reports): Status['layers'] {
  return Object.values(reports).map((report) => {
    const { verdict, reason } = verdictOf(report);
    const { layer, run_id, finished_at, batch } = report;
    return { layer, run_id, finished_at, batch, verdict, reason };
  });
}

async function readSource(
  url: string,
  { registry, deployment }: StatusInput,
): Promise<{ rows: Record<string, number>; slot: Status['slot'] }> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  await client.connect();
  try {
    const rows: Record<string, number> = {};
    for (const { id, schema, table } of registry.tables) rows[id] = await countRows(client, schema, table);
    const { current, confirmed } = await readLsns(client, slotName(deployment));
    return {
      rows,
      slot: {
        confirmed_lsn: confirmed?.toString() ?? null,
        behind_bytes: confirmed === null ? null : (current - confirmed).toString(),
      },
    };
  } finally {
    await client.end();
  }
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
