import type { ChangeEventReader } from '../cdc/change-event.ts';
import type { PipeKafkaRecord } from '../cdc/kafka-record.ts';
import { spillKey, TRANSACTION_TABLE, tableIdOfTopic } from '../cdc/names.ts';
import type { Pack, QuarantineCode, QuarantinedRecord } from '../cdc/pack.ts';
import { UnreadableRecord } from '../cdc/unreadable-record.ts';
import { jsonBytes, type Outcome, PackBuilder } from './pack-builder.ts';
import { divide, type MeasuredPack } from './pack-limits.ts';

export type EnrichContext = {
  epoch: number;
  /** Id of the Kafka cluster. */
  cluster: string;
  /** Ids of the captured tables. */
  tables: ReadonlySet<string>;
  /** Keeps the schemas that it has seen from call to call. */
  reader: ChangeEventReader;
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
  /** From the oldest streamed event's commit to `now`, in ms; null without one. */
  lagMs: number | null;
};

export type Enriched = { response: Pack[]; spill: Spill[]; counts: EnrichCounts };

/**
 * Turns a batch of Kafka records into packs. Every record ends in exactly one pack: as an event, as a covered
 * tombstone, or quarantined with the reason and all of its bytes. Nothing that a record holds makes it throw.
 */
export function enrich(records: PipeKafkaRecord[], context: EnrichContext): Enriched {
  const builders = new Map<string, PackBuilder>();
  const outcomes: Outcome[] = [];
  for (const record of records) {
    const outcome = outcomeOf(record, context);
    builderOf(record, context, builders).add(record, outcome);
    outcomes.push(outcome);
  }
  const packs = [...builders.values()].flatMap((builder) => builder.packs());
  const { response, overflow } = divide(packs);
  return {
    response: response.map(({ pack }) => pack),
    spill: overflow.map(spillOf),
    counts: { ...countOutcomes(outcomes, context.now), packs: packs.length, spilled: overflow.length },
  };
}

function outcomeOf(record: PipeKafkaRecord, { tables, reader }: EnrichContext): Outcome {
  if (record.value === null || record.value === undefined) return { kind: 'tombstone' };
  try {
    const table = tableIdOfTopic(record.topic);
    if (table === undefined || (table !== TRANSACTION_TABLE && !tables.has(table))) {
      throw new UnreadableRecord('topic-not-in-registry', `tables.yml has no table of topic ${record.topic}`);
    }
    const { event, schema } = reader.read(record);
    return { kind: 'event', event, schema, bytes: jsonBytes(event) };
  } catch (error) {
    const quarantined = quarantinedRecord(record, error, reader);
    return { kind: 'quarantined', record: quarantined, bytes: jsonBytes(quarantined) };
  }
}

/** @throws what is not the data's fault */
function quarantinedRecord(
  record: PipeKafkaRecord,
  error: unknown,
  reader: ChangeEventReader,
): QuarantinedRecord {
  if (!(error instanceof UnreadableRecord)) throw error;
  return {
    offset: String(record.offset),
    kafka_ts: String(record.timestamp),
    reason: { code: error.code, message: error.message },
    key: readableKey(record, reader),
    raw_key: rawBase64(record.key),
    raw_value: rawBase64(record.value),
    headers: record.headers ?? [],
  };
}

function readableKey(record: PipeKafkaRecord, reader: ChangeEventReader): string | null {
  try {
    return reader.readKey(record);
  } catch {
    return null;
  }
}

const BASE64 = /^(?:[A-Za-z0-9+/_-]{4})*(?:[A-Za-z0-9+/_-]{2}==|[A-Za-z0-9+/_-]{3}=)?$/;

/** What came instead of base64 is itself kept as base64, so that the lake can always decode it. */
function rawBase64(raw: unknown): string | null {
  if (raw === null || raw === undefined) return null;
  if (typeof raw === 'string' && BASE64.test(raw)) return raw;
  return Buffer.from(typeof raw === 'string' ? raw : JSON.stringify(raw)).toString('base64');
}

function builderOf(
  { topic, partition }: PipeKafkaRecord,
  { epoch, cluster, now }: EnrichContext,
  builders: Map<string, PackBuilder>,
): PackBuilder {
  const id = `${topic}/${partition}`;
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
function spillOf({ pack, firstTimestamp }: MeasuredPack): Spill {
  return { key: spillKey({ ...pack, at: new Date(firstTimestamp) }), pack };
}

function countOutcomes(outcomes: Outcome[], now: Date): Omit<EnrichCounts, 'packs' | 'spilled'> {
  const quarantined: EnrichCounts['quarantined'] = {};
  let events = 0;
  let tombstones = 0;
  let oldest: string | null = null;
  for (const outcome of outcomes) {
    if (outcome.kind === 'tombstone') tombstones++;
    if (outcome.kind === 'quarantined') {
      const { code } = outcome.record.reason;
      quarantined[code] = (quarantined[code] ?? 0) + 1;
    }
    if (outcome.kind !== 'event') continue;
    events++;
    const { snapshot, source_ts } = outcome.event;
    if (snapshot === null && source_ts !== null && (oldest === null || source_ts < oldest))
      oldest = source_ts;
  }
  const lagMs = oldest === null ? null : now.getTime() - Date.parse(oldest);
  return { records: outcomes.length, events, tombstones, quarantined, lagMs };
}
