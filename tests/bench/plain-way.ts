import { schemaId, type TableSchema, tableColumns } from '../../functions/cdc/column-type.ts';
import { headerText, type PipeKafkaRecord } from '../../functions/cdc/kafka-record.ts';
import type { Op, Pack, PackEvent } from '../../functions/cdc/pack.ts';
import { unchangedColumns } from '../../functions/cdc/unavailable-value.ts';
import { type Outcome, PackBuilder, type PackHead } from '../../functions/enrich/pack-builder.ts';
import { divide } from '../../functions/enrich/pack-limits.ts';
import { PLACEHOLDER } from '../recorded-events.ts';

type Value = {
  schema: unknown;
  payload: {
    after: Record<string, unknown> | null;
    source: { lsn: number; txId: number; sequence: string; ts_us: number; snapshot: string | null };
    transaction: { total_order: number } | null;
    op: Op;
  };
};

type KnownSchema = TableSchema & { unchangedIn: (row: Record<string, unknown>) => string[] };

const schemas = new Map<string, KnownSchema>();

/**
 * The enrichment as one would write it first: decode the base64, parse the whole value, take what is needed. For well
 * formed records of one topic-partition. Schemas are kept by their columns, and packs are cut as in the real thing.
 */
export function enrichPlainly(records: PipeKafkaRecord[], head: PackHead): Pack[] {
  const builder = new PackBuilder(head);
  for (const record of records) builder.add(record, outcome(record));
  return divide(builder.packs()).response.map(({ pack }) => pack);
}

function outcome(record: PipeKafkaRecord): Outcome {
  if (!record.value) return { kind: 'tombstone', bound: 0 };
  const text = decode(record.value);
  const { schema: envelope, payload } = JSON.parse(text) as Value;
  const { after, source, transaction, op } = payload;
  const schema = knownSchema(envelope);
  const [commitLsn] = JSON.parse(source.sequence) as [string | null];
  const event: PackEvent = {
    offset: String(record.offset),
    kafka_ts: String(record.timestamp),
    op,
    commit_lsn: commitLsn,
    lsn: String(source.lsn),
    tx_id: String(source.txId),
    tx_order: transaction && String(transaction.total_order),
    source_ts: isoMicros(source.ts_us),
    snapshot: source.snapshot,
    key: record.key ? payloadText(decode(record.key)) : null,
    prior_key: headerText(record, '__debezium.oldkey'),
    unchanged: after ? schema.unchangedIn(after) : [],
    payload: payloadText(text),
  };
  return { kind: 'event', event, schema, bound: Buffer.byteLength(JSON.stringify(event)) };
}

function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}

/** The payload as it stands, since numbers beyond 2^53 would not survive parsing and writing. */
function payloadText(text: string): string {
  return text.slice(text.indexOf('"payload":') + '"payload":'.length, -1);
}

function knownSchema(envelope: unknown): KnownSchema {
  const columns = tableColumns(envelope);
  const key = JSON.stringify(columns);
  const known = schemas.get(key);
  if (known !== undefined) return known;
  const schema = { id: schemaId(columns), columns, unchangedIn: unchangedColumns(columns, PLACEHOLDER) };
  schemas.set(key, schema);
  return schema;
}

function isoMicros(micros: number): string {
  const iso = new Date(Math.floor(micros / 1000)).toISOString();
  return `${iso.slice(0, -1)}${String(micros % 1000).padStart(3, '0')}Z`;
}
