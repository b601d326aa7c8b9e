/** Version of the pack's shape. */
export const PACK_VERSION = 1;

/** How the JSON value of a column is written; see docs/architecture.md, "Column types and encodings". */
export type ScalarEncoding =
  | 'number'
  | 'decimal-string'
  | 'float'
  | 'boolean'
  | 'base64'
  | 'epoch-days'
  | 'micros-of-day'
  | 'epoch-millis'
  | 'epoch-micros'
  | 'iso-timestamp'
  | 'json'
  | 'string';

export type Encoding = ScalarEncoding | `array:${ScalarEncoding}`;

/** A column of the lake: `type` is its Iceberg type, `encoding` how the payload writes its value. */
export type Column = { name: string; type: string; encoding: Encoding };

/** Operations of a change event, and the two of the transaction topic. */
export type Op = 'c' | 'u' | 'd' | 'r' | 't' | 'begin' | 'end';

/** One change event. 64-bit numbers are decimal strings. */
export type PackEvent = {
  offset: string;
  /** Milliseconds since 1970. */
  kafka_ts: string;
  op: Op;
  /** `source.sequence[0]`: the end of the last commit before this transaction. */
  commit_lsn: string | null;
  lsn: string | null;
  tx_id: string | null;
  /** `transaction.total_order`; null for snapshot rows. */
  tx_order: string | null;
  source_ts: string | null;
  snapshot: string | null;
  /** Exact JSON text of the key's payload. */
  key: string | null;
  /** Text of the `__debezium.oldkey` header: the key that this row had before a key change. */
  prior_key: string | null;
  /** Columns whose value PostgreSQL did not send because it did not change (TOAST). */
  unchanged: string[];
  /** Exact text of Debezium's payload. */
  payload: string;
};

/** Why a record is quarantined. `unexpected` is a record that met a defect of ours. */
export type QuarantineCode =
  | 'invalid-base64'
  | 'invalid-json'
  | 'invalid-key'
  | 'no-envelope'
  | 'unknown-op'
  | 'schema-unreadable'
  | 'topic-not-in-registry'
  | 'unexpected';

/** A record that could not be understood, with all of its bytes. */
export type QuarantinedRecord = {
  offset: string;
  kafka_ts: string;
  reason: { code: QuarantineCode; message: string };
  /** Exact JSON text of the key's payload, when at least that could be read. */
  key: string | null;
  /** base64 as received; what was no base64 is itself written as base64. */
  raw_key: string | null;
  raw_value: string | null;
  headers: Record<string, number[]>[];
};

/** Consecutive offsets of one topic-partition under one schema: one line of a landing file. */
export type Pack = {
  pack: typeof PACK_VERSION;
  epoch: number;
  cluster: string;
  topic: string;
  table: string;
  partition: number;
  /** First and last offset; every offset between is covered: an event, a tombstone or quarantined. */
  from_offset: string;
  to_offset: string;
  /** Hash of `columns`; null when no event of the pack has columns. */
  schema_id: string | null;
  columns: Column[];
  landed_at: string;
  events: PackEvent[];
  quarantined: QuarantinedRecord[];
};
