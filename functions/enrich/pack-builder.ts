import type { TableSchema } from '../cdc/column-type.ts';
import type { PipeKafkaRecord } from '../cdc/kafka-record.ts';
import { PACK_VERSION, type Pack, type PackEvent, type QuarantinedRecord } from '../cdc/pack.ts';
import { MAX_PACK_BYTES, type MeasuredPack } from './pack-limits.ts';

/** What became of one Kafka record. `bytes` is what it adds to its pack's JSON, in UTF-8. */
export type Outcome =
  | { kind: 'event'; event: PackEvent; schema: TableSchema | null; bytes: number }
  | { kind: 'quarantined'; record: QuarantinedRecord; bytes: number }
  | { kind: 'tombstone' };

/** What all packs of a topic-partition share. */
export type PackHead = Pick<Pack, 'epoch' | 'cluster' | 'topic' | 'table' | 'partition' | 'landed_at'>;

/** An int64's digits, reserved for the last offset, which grows with the pack. */
const OFFSET_DIGITS = 19;

/**
 * Collects the records of one topic-partition into packs. A new pack begins where the offsets are not consecutive,
 * where the columns change, and before a pack would grow beyond {@link MAX_PACK_BYTES}; a single record that is
 * larger gets a pack to itself.
 */
export class PackBuilder {
  readonly #head: PackHead;
  readonly #packs: MeasuredPack[] = [];
  #open: MeasuredPack | undefined;
  #next = -1n;

  constructor(head: PackHead) {
    this.#head = head;
  }

  /** Adds a record; records come in the order of the partition. */
  add(record: PipeKafkaRecord, outcome: Outcome): void {
    const offset = BigInt(record.offset);
    const open = this.#open;
    const target =
      open !== undefined && offset === this.#next && fits(open, outcome) ? open : this.#begin(record);
    target.bytes += bytesOf(target.pack, outcome);
    cover(target.pack, record, outcome);
    this.#next = offset + 1n;
  }

  /** All packs, in the order of their offsets as they came. */
  packs(): MeasuredPack[] {
    return this.#packs;
  }

  #begin({ offset, timestamp }: PipeKafkaRecord): MeasuredPack {
    const pack: Pack = {
      pack: PACK_VERSION,
      epoch: this.#head.epoch,
      cluster: this.#head.cluster,
      topic: this.#head.topic,
      table: this.#head.table,
      partition: this.#head.partition,
      from_offset: String(offset),
      to_offset: String(offset),
      schema_id: null,
      columns: [],
      landed_at: this.#head.landed_at,
      events: [],
      quarantined: [],
    };
    const bytes = jsonBytes(pack) + OFFSET_DIGITS - pack.to_offset.length;
    const begun = { pack, bytes, firstTimestamp: Number(timestamp) };
    this.#packs.push(begun);
    this.#open = begun;
    return begun;
  }
}

/** UTF-8 bytes of a value's JSON. */
export function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

function fits({ pack, bytes }: MeasuredPack, outcome: Outcome): boolean {
  if (outcome.kind === 'event' && pack.events.length > 0 && pack.schema_id !== (outcome.schema?.id ?? null)) {
    return false;
  }
  return bytes + bytesOf(pack, outcome) <= MAX_PACK_BYTES;
}

function bytesOf(pack: Pack, outcome: Outcome): number {
  if (outcome.kind === 'tombstone') return 0;
  const names = outcome.kind === 'event' && pack.schema_id === null ? schemaBytes(outcome.schema) : 0;
  return outcome.bytes + ','.length + names;
}

function schemaBytes(schema: TableSchema | null): number {
  return schema === null ? 0 : jsonBytes(schema);
}

function cover(pack: Pack, { offset }: PipeKafkaRecord, outcome: Outcome): void {
  pack.to_offset = String(offset);
  if (outcome.kind === 'quarantined') pack.quarantined.push(outcome.record);
  if (outcome.kind !== 'event') return;
  pack.events.push(outcome.event);
  if (outcome.schema !== null && pack.schema_id === null) {
    pack.schema_id = outcome.schema.id;
    pack.columns = outcome.schema.columns;
  }
}
