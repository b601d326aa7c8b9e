import { createHash } from 'node:crypto';
import type { Column, Encoding, ScalarEncoding } from './pack.ts';
import { UnreadableRecord } from './unreadable-record.ts';

/** A field of Connect's JSON schema, as far as it matters here. */
type ConnectField = {
  field: string;
  type: string;
  name?: string;
  parameters?: Record<string, string>;
  items?: ConnectType;
};

type ConnectType = Omit<ConnectField, 'field'>;

/** What a source column is in PostgreSQL; Debezium propagates it (`column.propagate.source.type`). */
type SourceType = { type: string; length: number; scale: number };

type LakeType = { type: string; encoding: ScalarEncoding };

/** The columns of one envelope schema, and a name for them: a hash of names, types and encodings. */
export type TableSchema = { id: string; columns: Column[] };

/** Iceberg's and Spark's largest precision. */
const MAX_PRECISION = 38;
/** For a numeric without declared precision: PostgreSQL's range is far beyond any decimal type. */
const UNBOUNDED_DECIMAL = 'decimal(38,10)';
/** Length that PostgreSQL's driver reports for a numeric without declared precision. */
const UNDECLARED_LENGTH = 131_089;
/** PostgreSQL keeps a scale in 11 bits, signed; the driver reports it unsigned, so that -2 arrives as 2046. */
const SCALE_SIGN_BIT = 1_024;
const SCALE_MODULUS = 2_048;

/** Connect's logical types that the connector's settings produce. */
const LOGICAL_TYPES = new Map<string, LakeType>([
  ['io.debezium.time.Date', { type: 'date', encoding: 'epoch-days' }],
  ['io.debezium.time.MicroTime', { type: 'string', encoding: 'micros-of-day' }],
  ['io.debezium.time.Timestamp', { type: 'timestamp_ntz', encoding: 'epoch-millis' }],
  ['io.debezium.time.MicroTimestamp', { type: 'timestamp_ntz', encoding: 'epoch-micros' }],
  ['io.debezium.time.ZonedTimestamp', { type: 'timestamp', encoding: 'iso-timestamp' }],
]);

/** Logical types that only other connector settings produce, and the setting that they betray. */
const WRONG_SETTINGS = new Map<string, string>([
  ['org.apache.kafka.connect.data.Decimal', 'decimal.handling.mode=string'],
  ['io.debezium.data.VariableScaleDecimal', 'decimal.handling.mode=string'],
  ['org.apache.kafka.connect.data.Date', 'time.precision.mode=adaptive_time_microseconds'],
  ['org.apache.kafka.connect.data.Time', 'time.precision.mode=adaptive_time_microseconds'],
  ['org.apache.kafka.connect.data.Timestamp', 'time.precision.mode=adaptive_time_microseconds'],
  ['io.debezium.time.Time', 'time.precision.mode=adaptive_time_microseconds'],
  ['io.debezium.time.NanoTime', 'time.precision.mode=adaptive_time_microseconds'],
  ['io.debezium.time.NanoTimestamp', 'time.precision.mode=adaptive_time_microseconds'],
  ['io.debezium.time.IsoDate', 'time.precision.mode=adaptive_time_microseconds'],
  ['io.debezium.time.IsoTime', 'time.precision.mode=adaptive_time_microseconds'],
  ['io.debezium.time.IsoTimestamp', 'time.precision.mode=adaptive_time_microseconds'],
  ['io.debezium.time.MicroDuration', 'interval.handling.mode=string'],
]);

const PHYSICAL_TYPES = new Map<string, LakeType>([
  ['int8', { type: 'int', encoding: 'number' }],
  ['int16', { type: 'int', encoding: 'number' }],
  ['int32', { type: 'int', encoding: 'number' }],
  ['int64', { type: 'bigint', encoding: 'number' }],
  ['float', { type: 'float', encoding: 'float' }],
  ['double', { type: 'double', encoding: 'float' }],
  ['boolean', { type: 'boolean', encoding: 'boolean' }],
  ['bytes', { type: 'binary', encoding: 'base64' }],
  ['string', { type: 'string', encoding: 'string' }],
  ['struct', { type: 'string', encoding: 'json' }],
  ['map', { type: 'string', encoding: 'json' }],
  ['array', { type: 'string', encoding: 'json' }],
]);

/**
 * Reads the columns of a table from the schema of its Debezium envelope.
 * @throws UnreadableRecord `schema-unreadable`
 */
export function tableSchema(envelope: unknown): TableSchema {
  const columns = tableColumns(envelope);
  return { id: schemaId(columns), columns };
}

/** The columns alone, as {@link tableSchema}. */
export function tableColumns(envelope: unknown): Column[] {
  return rowFields(envelope).map(column);
}

/** The first 16 hex digits of the columns' SHA-256. */
export function schemaId(columns: Column[]): string {
  return createHash('sha256').update(JSON.stringify(columns)).digest('hex').slice(0, 16);
}

function rowFields(envelope: unknown): ConnectField[] {
  const row = fieldsOf(envelope)?.find(({ field }) => field === 'after');
  const fields = fieldsOf(row);
  if (fields === undefined) {
    throw new UnreadableRecord('schema-unreadable', 'the schema has no row structure named after');
  }
  return fields;
}

function fieldsOf(schema: unknown): ConnectField[] | undefined {
  const fields = (schema as { fields?: unknown } | null | undefined)?.fields;
  const isField = (field: unknown) => typeof (field as ConnectField | null)?.field === 'string';
  return Array.isArray(fields) && fields.every(isField) ? fields : undefined;
}

function column(field: ConnectField): Column {
  const source = sourceType(field);
  if (field.type === 'array' && field.items !== undefined && field.items.type !== 'array') {
    const element = lakeType(field.field, field.items, { ...source, type: source.type.replace(/^_/, '') });
    const encoding: Encoding = `array:${element.encoding}`;
    return { name: field.field, type: `array<${element.type}>`, encoding };
  }
  return { name: field.field, ...lakeType(field.field, field, source) };
}

function sourceType({ parameters = {} }: ConnectType): SourceType {
  return {
    type: parameters['__debezium.source.column.type'] ?? '',
    length: Number(parameters['__debezium.source.column.length']),
    scale: Number(parameters['__debezium.source.column.scale']),
  };
}

function lakeType(columnName: string, { type, name }: ConnectType, source: SourceType): LakeType {
  const setting = WRONG_SETTINGS.get(name ?? '');
  if (setting !== undefined) {
    throw new UnreadableRecord(
      'schema-unreadable',
      `column ${columnName} arrives as ${name}; the connector must run with ${setting}`,
    );
  }
  const logical = LOGICAL_TYPES.get(name ?? '');
  if (logical !== undefined) return logical;
  if (type === 'string' && source.type === 'NUMERIC') {
    return { type: decimalType(source), encoding: 'decimal-string' };
  }
  if (type === 'string' && source.type === 'MONEY')
    return { type: 'decimal(19,2)', encoding: 'decimal-string' };
  const physical = PHYSICAL_TYPES.get(type);
  if (physical !== undefined) return physical;
  throw new UnreadableRecord(
    'schema-unreadable',
    `column ${columnName} has the unknown Connect type ${type}`,
  );
}

/**
 * The decimal that holds numeric(length, scale), or the widest that is of use where none does. PostgreSQL 15 allows
 * scales below 0 and above the precision (https://www.postgresql.org/docs/15/datatype-numeric.html).
 */
function decimalType({ length, scale }: SourceType): string {
  if (!(length > 0 && scale >= 0) || length === UNDECLARED_LENGTH || length > MAX_PRECISION) {
    return UNBOUNDED_DECIMAL;
  }
  const signed = scale >= SCALE_SIGN_BIT ? scale - SCALE_MODULUS : scale;
  if (signed < 0) return `decimal(${MAX_PRECISION},0)`;
  if (signed > MAX_PRECISION) return UNBOUNDED_DECIMAL;
  return `decimal(${Math.max(length, signed)},${signed})`;
}
