import type { TableSchema } from '../cdc/column-type.ts';
import type { PipeKafkaRecord } from '../cdc/kafka-record.ts';
import { PACK_VERSION, type Pack, type PackEvent, type QuarantinedRecord } from '../cdc/pack.ts';
import { jsonBytes } from './json-bytes.ts';
import { MAX_PACK_BYTES } from './pack-limits.ts';

/** What became of one Kafka record; `bound` is at least the UTF-8 bytes of its JSON. */
export type Outcome =
  | { kind: 'event'; event: PackEvent; schema: TableSchema | null; bound: number }
  | { kind: 'quarantined'; record: QuarantinedRecord; bound: number }
  | { kind: 'tombstone'; bound: 0 };

/** What all packs of a topic-partition in one epoch share. */
export type PackHead = Pick<Pack, 'epoch' | 'cluster' | 'topic' | 'table' | 'partition' | 'landed_at'>;

/** An int64's digits, reserved for the last offset, which grows with the pack. */
const OFFSET_DIGITS = 19;

/**
 * Collects the records of one topic-partition in one epoch into packs. A new pack begins where the offsets are not consecutive,
 * where the columns change, and before a pack would grow beyond {@link MAX_PACK_BYTES}; a single record that is
 * larger gets a pack to itself.
 */
export class PackBuilder {
  readonly #head: PackHead;
  readonly #packs: GrowingPack[] = [];
  #next = -1n;

  constructor(head: PackHead) {
    this.#head = head;
  }

  /** Adds a record; records come in the order of the partition. */
  add(record: PipeKafkaRecord, outcome: Outcome): void {
    const offset = BigInt(record.offset);
    const open = this.#packs.at(-1);
    const goesOn = open !== undefined && offset === this.#next && open.takes(outcome);
    const pack = goesOn ? open : new GrowingPack(this.#head, record);
    if (!goesOn) this.#packs.push(pack);
    pack.add(record, outcome);
    this.#next = offset + 1n;
  }

  /** All packs, in the order in which their first records came. */
  packs(): GrowingPack[] {
    return this.#packs;
  }
}

/** A pack and its size: an upper bound first, made exact only where the bound would decide against it. */
export class GrowingPack {
  readonly pack: Pack;
  /** Kafka timestamp of the first record, in ms. */
  readonly firstTimestamp: number;
  /** At least the UTF-8 bytes of the pack's JSON. */
  bound: number;
  /** Bytes without the outcomes of `#unmeasured`. */
  #measured: number;
  #unmeasured: Outcome[] = [];

  constructor(head: PackHead, { offset, timestamp }: PipeKafkaRecord) {
    this.pack = {
      pack: PACK_VERSION,
      epoch: head.epoch,
      cluster: head.cluster,
      topic: head.topic,
      table: head.table,
      partition: head.partition,
      from_offset: String(offset),
      to_offset: String(offset),
      schema_id: null,
      columns: [],
      landed_at: head.landed_at,
      events: [],
      quarantined: [],
    };
    this.firstTimestamp = Number(timestamp);
    this.#measured = jsonBytes(this.pack) + OFFSET_DIGITS - this.pack.to_offset.length;
    this.bound = this.#measured;
  }

  /** Whether the outcome fits behind what the pack holds, by its columns and its size. */
  takes(outcome: Outcome): boolean {
    if (outcome.kind === 'tombstone') return true;
    if (outcome.kind === 'event' && !this.#hasColumnsOf(outcome.schema)) return false;
    const columns = this.#addedColumnBytes(outcome);
    if (this.bound + columns + outcome.bound + ','.length <= MAX_PACK_BYTES) return true;
    return this.measure() + columns + exactBytes(outcome) + ','.length <= MAX_PACK_BYTES;
  }

  add({ offset }: PipeKafkaRecord, outcome: Outcome): void {
    const { pack } = this;
    pack.to_offset = String(offset);
    if (outcome.kind === 'tombstone') return;
    const columns = this.#addedColumnBytes(outcome);
    this.#measured += columns;
    this.bound += columns + outcome.bound + ','.length;
    this.#unmeasured.push(outcome);
    if (outcome.kind === 'quarantined') {
      pack.quarantined.push(outcome.record);
      return;
    }
    pack.events.push(outcome.event);
    if (outcome.schema !== null && pack.schema_id === null) {
      pack.schema_id = outcome.schema.id;
      pack.columns = outcome.schema.columns;
    }
  }

  /** Makes the bound exact but for some digits of the last offset. Each outcome is measured once. */
  measure(): number {
    for (const outcome of this.#unmeasured) this.#measured += exactBytes(outcome) + ','.length;
    this.#unmeasured = [];
    this.bound = this.#measured;
    return this.bound;
  }

  #hasColumnsOf(schema: TableSchema | null): boolean {
    return this.pack.events.length === 0 || this.pack.schema_id === (schema?.id ?? null);
  }

  #addedColumnBytes(outcome: Outcome): number {
    if (outcome.kind !== 'event' || outcome.schema === null || this.pack.schema_id !== null) return 0;
    return jsonBytes(outcome.schema);
  }
}

function exactBytes(outcome: Outcome): number {
  if (outcome.kind === 'tombstone') return 0;
  return jsonBytes(outcome.kind === 'event' ? outcome.event : outcome.record);
}
