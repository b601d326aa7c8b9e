/** Where a name is deployed: `cdc_demo` and `dev` give `cdc_demo_dev_...`. */
export type Deployment = { project: string; stage: string };

export type Layer = 'bronze' | 'silver' | 'gold';

/** What has a job that reports to a gate: a layer, or the upkeep of all tables. */
export type Job = Layer | 'maintenance';

/** Tables that the engine keeps for itself. */
export type EngineTable = 'landed' | 'quarantine' | 'bronze_schemas' | 'silver_truncations';

/** Debezium's `topic.prefix`. */
export const TOPIC_PREFIX = 'cdc';

/** Schema of the signal and heartbeat tables; no captured table may live there. */
export const RESERVED_SCHEMA = 'debezium';

/** Table id of the topic with Debezium's transaction metadata, landed like a table. */
export const TRANSACTION_TABLE = `${RESERVED_SCHEMA}.transaction`;

const DEFAULT_SCHEMA = 'public';
const TRANSACTION_TOPIC = `${TOPIC_PREFIX}.transaction`;

/** `users` -> `public.users`, `sales.orders` -> itself. */
export function tableId(name: string): string {
  return name.includes('.') ? name : `${DEFAULT_SCHEMA}.${name}`;
}

/** `public.users` -> `{schema: 'public', table: 'users'}`. */
export function splitTableId(id: string): { schema: string; table: string } {
  const dot = id.indexOf('.');
  return { schema: id.slice(0, dot), table: id.slice(dot + 1) };
}

/** `public.users` -> `cdc.public.users`; the transaction table has a topic without a schema. */
export function topicOf(id: string): string {
  return id === TRANSACTION_TABLE ? TRANSACTION_TOPIC : `${TOPIC_PREFIX}.${id}`;
}

/** `cdc.public.users` -> `public.users`; undefined for a topic that is not one of ours. */
export function tableIdOfTopic(topic: string): string | undefined {
  if (topic === TRANSACTION_TOPIC) return TRANSACTION_TABLE;
  return /^cdc\.([^.]+\.[^.]+)$/.exec(topic)?.[1];
}

/** `cdc_demo_dev`, also the name of the Glue database. */
export function glueDatabase({ project, stage }: Deployment): string {
  return `${project}_${stage}`;
}

/** `users` for `users` and `public.users`, `sales__orders` for `sales.orders`. Glue keeps names in lower case. */
export function lakeName(name: string): string {
  const { schema, table } = splitTableId(tableId(name));
  return (schema === DEFAULT_SCHEMA ? table : `${schema}__${table}`).toLowerCase();
}

/** `cdc_demo_dev_silver_users`. `name` is a table, with or without its schema, or a gold model. */
export function lakeTable(deployment: Deployment, layer: Layer, name: string): string {
  return `${glueDatabase(deployment)}_${layer}_${lakeName(name)}`;
}

/** `cdc_demo_dev_landed`. */
export function engineTable(deployment: Deployment, table: EngineTable): string {
  return `${glueDatabase(deployment)}_${table}`;
}

/** Name of a table as Spark reads it: `glue_catalog.cdc_demo_dev.cdc_demo_dev_silver_users`. */
export function sparkTable(deployment: Deployment, table: string): string {
  return `glue_catalog.${glueDatabase(deployment)}.${table}`;
}

/** `landing/public.users/`, under which every landing object of a table lies. */
export function landingRoot(id: string): string {
  return `landing/${id}/`;
}

/** `landing/public.users/2026/01/31/23/`: the prefix of one UTC hour. */
export function landingPrefix(id: string, at: Date): string {
  const [date, time] = at.toISOString().split('T') as [string, string];
  return `${landingRoot(id)}${date.replaceAll('-', '/')}/${time.slice(0, 2)}/`;
}

/** Offsets are decimal strings, both ends inclusive; `at` chooses the hour's prefix. */
export type SpillPosition = {
  table: string;
  topic: string;
  epoch: number;
  partition: number;
  from_offset: string;
  to_offset: string;
  at: Date;
};

/**
 * Key of a spilled pack, the same for every retry, which therefore overwrites it. The epoch is part of it because
 * offsets start again in a new one: a fresh cluster must not write over the object of the old.
 */
export function spillKey(position: SpillPosition): string {
  const { table, topic, epoch, partition, from_offset, to_offset, at } = position;
  return `${landingPrefix(table, at)}spill-${topic}-${partition}-${from_offset}-${to_offset}-e${epoch}.json.gz`;
}

/** `reports/<run id>/silver.json`. */
export function reportKey(runId: string, layer: Job): string {
  return `reports/${runId}/${layer}.json`;
}

/** `reports/latest/silver.json`. */
export function latestReportKey(layer: Job): string {
  return `reports/latest/${layer}.json`;
}
