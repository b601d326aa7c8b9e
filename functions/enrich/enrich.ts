import type { ChangeEventReader } from '../cdc/change-event.ts';
import { epochOfRecord, type PipeKafkaRecord } from '../cdc/kafka-record.ts';
import { spillKey, TRANSACTION_TABLE, tableIdOfTopic } from '../cdc/names.ts';
import type { Pack, QuarantineCode, QuarantinedRecord } from '../cdc/pack.ts';
import { UnreadableRecord } from '../cdc/unreadable-record.ts';
import { eventBytesBound, jsonBytes } from './json-bytes.ts';
import { type GrowingPack, type Outcome, PackBuilder } from './pack-builder.ts';
import { divide } from './pack-limits.ts';

export type EnrichContext = {
  /** Epoch of records that don't say theirs: their connector is one of before, or somebody else. */
  epoch: number;
  /** Id of the Kafka cluster. */
  cluster: string;
  /** Ids of the captured tables. */
  tables: ReadonlySet<string>;
  /** Keeps the schemas that it has seen from call to call. */
  reader: ChangeEventReader;
  /** Bytes of UTF-8 JSON that the response may have; left out, what a pipe and PutRecordBatch take. */
  responseBytes?: number;
  now: Date;
};

/** A pack that is written as an object of its own. */
export type Spill = { key: string; pack: Pack };

export type EnrichCounts = {
  records: number;
  events: number;
  tombstones: number;
  quarantined: Partial<Record<QuarantineCode, number>>;
  /** Packs in all, and how many of them are spilled. */
  packs: number;
  spilled: number;
  /** From the oldest streamed change's time at the source to `now`, in ms; null without one. */
  lagMs: number | null;
};

export type Enriched = { response: Pack[]; spill: Spill[]; counts: EnrichCounts };

const TOMBSTONE: Outcome = { kind: 'tombstone', bound: 0 };

/**
 * Turns a batch of Kafka records into packs. Every record ends in exactly one pack: as an event, as a covered
 * tombstone, or quarantined with the reason and all of its bytes. Nothing that a record holds makes it throw.
 */
export function enrich(records: PipeKafkaRecord[], context: EnrichContext): Enriched {
  const builders = new Map<string, PackBuilder>();
  for (const record of records) {
    builderOf(record, context, builders).add(record, outcomeOf(record, context));
  }
  const packs = [...builders.values()].flatMap((builder) => builder.packs());
  const { response, overflow } = divide(packs, context.responseBytes);
  return {
    response: response.map(({ pack }) => pack),
    spill: overflow.map(spillOf),
    counts: { ...count(packs, records.length, context.now), spilled: overflow.length },
  };
}

function outcomeOf(record: PipeKafkaRecord, { tables, reader }: EnrichContext): Outcome {
  if (record.value === null || record.value === undefined) return TOMBSTONE;
  try {
    const table = tableIdOfTopic(record.topic);
    if (table === undefined || (table !== TRANSACTION_TABLE && !tables.has(table))) {
      throw new UnreadableRecord('topic-not-in-registry', `tables.yml has no table of topic ${record.topic}`);
    }
    const { event, schema, payloadBytes } = reader.read(record);
    return { kind: 'event', event, schema, bound: eventBytesBound(event, payloadBytes) };
  } catch (error) {
    const quarantined = quarantinedRecord(record, error, reader);
    return { kind: 'quarantined', record: quarantined, bound: jsonBytes(quarantined) };
  }
}

function quarantinedRecord(
  record: PipeKafkaRecord,
  error: unknown,
  reader: ChangeEventReader,
): QuarantinedRecord {
  return {
    offset: String(record.offset),
    kafka_ts: String(record.timestamp),
    reason: reasonOf(error),
    key: readableKey(record, reader),
    raw_key: rawBase64(record.key),
    raw_value: rawBase64(record.value),
    headers: record.headers ?? [],
  };
}

/**
 * Reading touches nothing but the record, so whatever it throws would be thrown again at every retry: even a defect of
 * ours must not stall the partition.
 */
function reasonOf(error: unknown): QuarantinedRecord['reason'] {
  if (error instanceof UnreadableRecord) return { code: error.code, message: error.message };
  return { code: 'unexpected', message: `${error}`.slice(0, 200) };
}

function readableKey(record: PipeKafkaRecord, reader: ChangeEventReader): string | null {
  try {
    return reader.readKey(record);
  } catch {
    return null;
  }
}

/** One class under one star: groups under a star overflow V8's stack on a text as long as the record cap allows. */
const BASE64_TEXT = /^[A-Za-z0-9+/_-]*={0,2}$/;

/** What came instead of base64 is itself kept as base64, so that the lake can always decode it. */
function rawBase64(raw: unknown): string | null {
  if (raw === null || raw === undefined) return null;
  if (typeof raw === 'string' && raw.length % 4 === 0 && BASE64_TEXT.test(raw)) return raw;
  return Buffer.from(typeof raw === 'string' ? raw : JSON.stringify(raw)).toString('base64');
}

function builderOf(
  record: PipeKafkaRecord,
  { epoch: deployed, cluster, now }: EnrichContext,
  builders: Map<string, PackBuilder>,
): PackBuilder {
  const { topic, partition } = record;
  const epoch = epochOfRecord(record) ?? deployed;
  const id = `${topic}/${partition}/${epoch}`;
  const existing = builders.get(id);
  if (existing !== undefined) return existing;
  const builder = new PackBuilder({
    epoch,
    cluster,
    topic,
    table: tableIdOfTopic(topic) ?? topic,
    partition: Number(partition),
    landed_at: now.toISOString(),
  });
  builders.set(id, builder);
  return builder;
}

/**
 * The hour in the key is the first record's Kafka timestamp, never the clock's: a retry of the batch an hour later
 * must write over the same object.
 */
function spillOf({ pack, firstTimestamp }: GrowingPack): Spill {
  const at = new Date(firstTimestamp);
  return { key: spillKey({ ...pack, at: Number.isNaN(at.getTime()) ? new Date(0) : at }), pack };
}

function count(packs: GrowingPack[], records: number, now: Date): Omit<EnrichCounts, 'spilled'> {
  const quarantined: EnrichCounts['quarantined'] = {};
  let events = 0;
  let unreadable = 0;
  let lagMs: number | null = null;
  for (const { pack } of packs) {
    events += pack.events.length;
    unreadable += pack.quarantined.length;
    for (const { reason } of pack.quarantined) quarantined[reason.code] = (quarantined[reason.code] ?? 0) + 1;
    // A partition holds its changes in the order of their commits: the first is the oldest.
    const oldest = pack.events.find(({ snapshot, source_ts }) => snapshot === null && source_ts !== null);
    if (oldest) lagMs = Math.max(lagMs ?? 0, now.getTime() - Date.parse(oldest.source_ts as string));
  }
  return {
    records,
    events,
    tombstones: records - events - unreadable,
    quarantined,
    packs: packs.length,
    lagMs,
  };
}
