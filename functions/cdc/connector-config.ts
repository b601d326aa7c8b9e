import { EPOCH_HEADER } from './kafka-record.ts';
import {
  type Deployment,
  glueDatabase,
  RESERVED_SCHEMA,
  TOPIC_PREFIX,
  TRANSACTION_TABLE,
  topicOf,
} from './names.ts';
import type { Registry, RegistryTable } from './registry.ts';

const MIB = 1024 * 1024;
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Largest change record, key and value together, that the connector may produce. An EventBridge Pipe closes a batch
 * at 6 MB, and base64 makes a record 4/3 of its size: 4 MiB is the largest that one invocation surely carries.
 */
export const RECORD_CAP_BYTES = 4 * MIB;

/**
 * A topic's `max.message.bytes`, and the broker's: the cap plus what a batch adds around one record and what gzip adds
 * to bytes that don't shrink. The producer measures before it compresses; without this margin a record just below the
 * cap could be refused by the broker, which kills the connector's task.
 */
export const TOPIC_MAX_MESSAGE_BYTES = RECORD_CAP_BYTES + 64 * 1024;

/**
 * How long a topic keeps its records. Firehose retries a failed delivery for 24 h after the Kafka offsets were
 * committed; replay from offsets must reach back well beyond that.
 */
export const TOPIC_RETENTION_MS = 7 * DAY_MS;

/** Tables, by their ids, that a deployment has in its source for itself alone: a database may have several captures. */
export type PlatformTables = {
  /** A row in it asks Debezium for an action, such as an incremental snapshot. */
  signal: string;
  /**
   * The connector itself updates it, so that the slot moves on while the captured tables are idle. It must be in the
   * publication although it isn't captured: without it the slot stays where it is (seen on PostgreSQL 15, which skips
   * transactions that publish nothing). A logical message instead of the table doesn't move the slot either (seen).
   */
  heartbeat: string;
};

/** Names that all deployments shared once; a removal takes them away when nobody publishes them any more. */
export const FORMER_PLATFORM_TABLES: PlatformTables = {
  signal: `${RESERVED_SCHEMA}.signal`,
  heartbeat: `${RESERVED_SCHEMA}.heartbeat`,
};

/**
 * Topic of the heartbeats. Debezium's own choice would begin with two underscores, as Kafka's internal topics do, of which
 * MSK's API is not said to make any.
 */
export const HEARTBEAT_TOPIC = `${TOPIC_PREFIX}.heartbeat`;

/**
 * Topic of Debezium's notifications: how far its snapshots are and how they end, which its offsets don't tell
 * (https://debezium.io/documentation/reference/3.7/configuration/notification.html).
 */
export const NOTIFICATION_TOPIC = `${TOPIC_PREFIX}.notification`;

/** Each beat is a transaction, and so two records of no events in the transaction topic: not more often than needed. */
const HEARTBEAT_INTERVAL_MS = 30_000;
const CONNECTOR_CLASS = 'io.debezium.connector.postgresql.PostgresConnector';

/** The worker's environment variable with the replication role's password, and how the configuration refers to it. */
export const SOURCE_PASSWORD_VARIABLE = 'SOURCE_PASSWORD';
export const SOURCE_PASSWORD_REFERENCE = `\${env:${SOURCE_PASSWORD_VARIABLE}}`;

const EPOCH_SETTING = 'transforms.epoch.value.literal';

/** How to reach the source. A connector is given SOURCE_PASSWORD_REFERENCE for a password. */
export type SourceConnection = {
  host: string;
  port: number;
  database: string;
  user: string;
  password: string;
  /** libpq's sslmode: disable, prefer, require, verify-ca or verify-full. */
  sslmode: string;
};

export type ConnectorInput = Deployment & {
  registry: Pick<Registry, 'epoch' | 'tables'>;
  connection: SourceConnection;
  /** The deployment's random token for a value that an UPDATE left unchanged out of line (TOAST). */
  placeholder: string;
  /** Replicas of a topic that Connect has to make itself; 1 on a single broker. */
  replicationFactor: number;
};

/** A Kafka topic to be made before the connector is put. */
export type TopicPlan = { topic: string; partitions: number; config: Record<string, string> };

/** `cdc_demo_dev_postgres`: the connector's name in Kafka Connect, under which it keeps its offsets. */
export function connectorName(deployment: Deployment): string {
  return `${glueDatabase(deployment)}_postgres`;
}

/** `cdc_demo_dev`: the replication slot, at most 63 characters of a-z, 0-9 and _ (PostgreSQL's rule for slots). */
export function slotName(deployment: Deployment): string {
  return sourceName('replication slot', deployment);
}

/** `debezium.cdc_demo_dev_signal` and `debezium.cdc_demo_dev_heartbeat`. */
export function platformTables(deployment: Deployment): PlatformTables {
  return {
    signal: `${RESERVED_SCHEMA}.${sourceName('signal table', deployment, '_signal')}`,
    heartbeat: `${RESERVED_SCHEMA}.${sourceName('heartbeat table', deployment, '_heartbeat')}`,
  };
}

/** PostgreSQL would cut a longer name of a table, and refuses one of a slot. */
function sourceName(what: string, deployment: Deployment, ending = ''): string {
  const name = `${glueDatabase(deployment)}${ending}`.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_');
  if (name.length <= 63) return name;
  throw new Error(
    `The ${what} ${name} would be longer than the 63 characters that PostgreSQL allows; shorten the project or stage name.`,
  );
}

/** `cdc_demo_dev`: the publication of exactly the registry's tables, the signal and the heartbeat table. */
export function publicationName(deployment: Deployment): string {
  return slotName(deployment);
}

/**
 * The registry's tables with the key columns that the source asks for (`messageKeys` of its preparation), where the
 * registry names none itself.
 * @throws Error for keys of a table that isn't in the registry
 */
export function withMessageKeys(
  tables: readonly RegistryTable[],
  messageKeys: Readonly<Record<string, string[]>>,
): RegistryTable[] {
  const unknown = Object.keys(messageKeys).filter((keyed) => !tables.some(({ id }) => id === keyed));
  if (unknown.length > 0) {
    throw new Error(`tables.yml has no ${unknown.join(', ')}, but message keys were given for it.`);
  }
  return tables.map((table) => ({ ...table, key: table.key ?? messageKeys[table.id] ?? null }));
}

/** Every topic that the connector writes: the registry's tables, and one each of what else it tells. */
export function topicPlans(deployment: Deployment, registry: Pick<Registry, 'tables'>): TopicPlan[] {
  const { signal } = platformTables(deployment);
  const single = [topicOf(TRANSACTION_TABLE), topicOf(signal), HEARTBEAT_TOPIC, NOTIFICATION_TOPIC];
  return [
    ...registry.tables.map(({ topic, partitions }) => ({ topic, partitions, config: topicConfig() })),
    ...single.map((topic) => ({ topic, partitions: 1, config: topicConfig() })),
  ];
}

function topicConfig(): Record<string, string> {
  return {
    'cleanup.policy': 'delete',
    'retention.ms': String(TOPIC_RETENTION_MS),
    'max.message.bytes': String(TOPIC_MAX_MESSAGE_BYTES),
  };
}

/**
 * The Debezium connector's configuration, as `PUT /connectors/<name>/config` takes it. Property names and the reasons
 * are those of Debezium 3.7 (https://debezium.io/documentation/reference/3.7/connectors/postgresql.html) and Kafka
 * Connect 3.9; what each setting protects against was measured on them.
 */
export function connectorConfig(input: ConnectorInput): Record<string, string> {
  return {
    'connector.class': CONNECTOR_CLASS,
    'tasks.max': '1',
    ...sourceSettings(input),
    ...captureSettings(input.registry.tables, platformTables(input)),
    ...epochSettings(input.registry.epoch),
    ...valueSettings(input.placeholder),
    ...throughputSettings(),
    ...topicCreationSettings(input.replicationFactor),
  };
}

function sourceSettings({ connection, ...deployment }: ConnectorInput): Record<string, string> {
  return {
    'database.hostname': connection.host,
    'database.port': String(connection.port),
    'database.dbname': connection.database,
    'database.user': connection.user,
    'database.password': connection.password,
    'database.sslmode': connection.sslmode,
    'plugin.name': 'pgoutput',
    'slot.name': slotName(deployment),
    'publication.name': publicationName(deployment),
    // Debezium would have to own the tables to make it; the source function makes it as their owner.
    'publication.autocreate.mode': 'disabled',
  };
}

function captureSettings(
  tables: readonly RegistryTable[],
  { signal, heartbeat }: PlatformTables,
): Record<string, string> {
  return {
    'topic.prefix': TOPIC_PREFIX,
    'table.include.list': [...tables.map(({ id }) => id), signal].map(literalPattern).join(','),
    ...messageKeys(tables),
    'snapshot.mode': 'initial',
    'signal.data.collection': signal,
    'notification.enabled.channels': 'sink',
    'notification.sink.topic.name': NOTIFICATION_TOPIC,
    // An idle database would otherwise hold its WAL for ever.
    'heartbeat.interval.ms': String(HEARTBEAT_INTERVAL_MS),
    'topic.heartbeat.name': HEARTBEAT_TOPIC,
    'heartbeat.action.query': `UPDATE ${heartbeat} SET ts = now()`,
    // The default leaves TRUNCATE out.
    'skipped.operations': 'none',
    'tombstones.on.delete': 'true',
    'provide.transaction.metadata': 'true',
  };
}

/**
 * Each record says its epoch itself: whenever it is read, and by whichever version of the pipe, it is taken for what it
 * is (https://kafka.apache.org/39/documentation/#org.apache.kafka.connect.transforms.InsertHeader).
 */
function epochSettings(epoch: number): Record<string, string> {
  return {
    transforms: 'epoch',
    'transforms.epoch.type': 'org.apache.kafka.connect.transforms.InsertHeader',
    'transforms.epoch.header': EPOCH_HEADER,
    [EPOCH_SETTING]: String(epoch),
  };
}

/** The epoch that a connector was put for; 1 for one that doesn't say it. */
export function epochOf(config: Readonly<Record<string, string>>): number {
  return Number(config[EPOCH_SETTING] ?? 1);
}

/** Key columns of the tables whose registry entry names them; the others take the source's primary key. */
function messageKeys(tables: readonly RegistryTable[]): Record<string, string> {
  const keys = tables.flatMap(({ id, key }) =>
    key === null ? [] : [`${literalPattern(id)}:${key.join(',')}`],
  );
  return keys.length === 0 ? {} : { 'message.key.columns': keys.join(';') };
}

/** Debezium reads table names as regular expressions; the registry allows letters, digits and _ around the dot. */
function literalPattern(tableId: string): string {
  return tableId.replaceAll('.', '\\.');
}

function valueSettings(placeholder: string): Record<string, string> {
  return {
    'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'key.converter.schemas.enable': 'true',
    'key.converter.replace.null.with.default': 'false',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter.schemas.enable': 'true',
    // The default turns an explicit NULL into the column's DEFAULT.
    'value.converter.replace.null.with.default': 'false',
    // Precise mode turns NaN and Infinity into NULL; the propagated source type keeps precision and scale.
    'decimal.handling.mode': 'string',
    'column.propagate.source.type': '.*',
    // isostring breaks 24:00, infinities and years BC.
    'time.precision.mode': 'adaptive_time_microseconds',
    // Months are lossy as microseconds.
    'interval.handling.mode': 'string',
    'hstore.handling.mode': 'json',
    'binary.handling.mode': 'bytes',
    // Without it composite, multirange, tsquery, pg_lsn and xid columns vanish.
    'include.unknown.datatypes': 'true',
    'unavailable.value.placeholder': placeholder,
  };
}

/** Two to three times the defaults' throughput; a row up to the cap can't kill the task. */
function throughputSettings(): Record<string, string> {
  return {
    'extended.headers.enabled': 'false',
    'max.batch.size': '8192',
    'max.queue.size': '32768',
    'max.queue.size.in.bytes': String(64 * MIB),
    'poll.interval.ms': '50',
    'producer.override.linger.ms': '20',
    'producer.override.batch.size': String(512 * 1024),
    // The schema in every record repeats itself: 1/67 of the bytes for the same processor time (55,000 rows).
    'producer.override.compression.type': 'gzip',
    'producer.override.max.request.size': String(RECORD_CAP_BYTES),
  };
}

/** For a topic that nobody made before: Connect would otherwise use the broker's defaults. */
function topicCreationSettings(replicationFactor: number): Record<string, string> {
  const created = Object.entries(topicConfig()).map(([key, value]) => [
    `topic.creation.default.${key}`,
    value,
  ]);
  return {
    'topic.creation.default.replication.factor': String(replicationFactor),
    'topic.creation.default.partitions': '1',
    ...Object.fromEntries(created),
  };
}
