import { type TableSchema, tableSchema } from './column-type.ts';
import { type ConnectJson, ConnectJsonReader } from './connect-json.ts';
import { parseExactly } from './json-text.ts';
import { headerText, type PipeKafkaRecord } from './kafka-record.ts';
import { TRANSACTION_TABLE, topicOf } from './names.ts';
import type { Op, PackEvent } from './pack.ts';
import { unchangedColumns } from './unavailable-value.ts';
import { UnreadableRecord } from './unreadable-record.ts';

/** An event, the columns of its row (null in the transaction topic) and the UTF-8 bytes of its payload. */
export type ReadEvent = { event: PackEvent; schema: TableSchema | null; payloadBytes: number };

type RowSchema = TableSchema & { unchangedIn: (row: Row) => string[] };
type Row = Record<string, unknown>;

/** Debezium's envelope (https://debezium.io/documentation/reference/3.7/connectors/postgresql.html#postgresql-events). */
type Envelope = {
  before: Row | null;
  after: Row | null;
  source: Source;
  transaction: Transaction;
  op: string;
};

type Transaction = { total_order?: unknown } | null;

type Source = {
  lsn?: unknown;
  txId?: unknown;
  /** JSON text: the last commit's end and this event's LSN, e.g. `["26571096","26571152"]`. */
  sequence?: unknown;
  ts_ms?: unknown;
  ts_us?: unknown;
  snapshot?: unknown;
};

/** An envelope's position fields, each as its decimal text. */
type Position = Pick<PackEvent, 'commit_lsn' | 'lsn' | 'tx_id' | 'tx_order'>;

const PRIOR_KEY_HEADER = '__debezium.oldkey';
const TRANSACTION_TOPIC = topicOf(TRANSACTION_TABLE);
const TRANSACTION_OPS = new Map<unknown, Op>([
  ['BEGIN', 'begin'],
  ['END', 'end'],
]);
/** Which image of the row an operation must carry. */
const ROW_IMAGE = new Map<unknown, 'after' | 'before' | null>([
  ['c', 'after'],
  ['u', 'after'],
  ['r', 'after'],
  ['d', 'before'],
  ['t', null],
]);

/** Reads Debezium's records. Keeps the last schema of each topic, so one reader should serve many batches. */
export class ChangeEventReader {
  readonly #keys = new ConnectJsonReader(() => null);
  readonly #transactions = new ConnectJsonReader(() => null);
  readonly #rows: ConnectJsonReader<RowSchema>;

  /** @param placeholder Debezium's `unavailable.value.placeholder` */
  constructor(placeholder: string) {
    this.#rows = new ConnectJsonReader((envelope) => {
      const schema = tableSchema(envelope);
      return { ...schema, unchangedIn: unchangedColumns(schema.columns, placeholder) };
    });
  }

  /**
   * Reads a record that is not a tombstone.
   * @throws UnreadableRecord for whatever its key, value or headers hold
   */
  read(record: PipeKafkaRecord): ReadEvent {
    return record.topic === TRANSACTION_TOPIC ? this.#readTransaction(record) : this.#readChange(record);
  }

  /**
   * The exact JSON text of the key's payload; null without a key.
   * @throws UnreadableRecord `invalid-key`
   */
  readKey({ topic, key }: PipeKafkaRecord): string | null {
    if (key === null || key === undefined) return null;
    try {
      const { payload, text } = this.#keys.read(topic, base64Text(key));
      return payload === null ? null : text;
    } catch (error) {
      if (!(error instanceof UnreadableRecord)) throw error;
      throw new UnreadableRecord('invalid-key', `key: ${error.message}`, { cause: error });
    }
  }

  #readChange(record: PipeKafkaRecord): ReadEvent {
    const value = this.#rows.read(record.topic, base64Text(record.value));
    const { op, after, source, transaction } = envelopeOf(value.payload);
    const { commit_lsn, lsn, tx_id, tx_order } = position(source, transaction, value.text);
    return {
      event: {
        offset: String(record.offset),
        kafka_ts: String(record.timestamp),
        op,
        commit_lsn,
        lsn,
        tx_id,
        tx_order,
        source_ts: isoMicros(source.ts_us) ?? isoMillis(source.ts_ms),
        snapshot: snapshotOf(source),
        key: this.readKey(record),
        prior_key: headerText(record, PRIOR_KEY_HEADER),
        unchanged: after === null ? [] : value.schema.unchangedIn(after),
        payload: value.text,
      },
      schema: value.schema,
      payloadBytes: value.bytes,
    };
  }

  #readTransaction(record: PipeKafkaRecord): ReadEvent {
    const value = this.#transactions.read(record.topic, base64Text(record.value));
    const { op, txId, lsn, ts_ms } = transactionOf(value);
    return {
      event: {
        offset: String(record.offset),
        kafka_ts: String(record.timestamp),
        op,
        commit_lsn: null,
        lsn,
        tx_id: txId,
        tx_order: null,
        source_ts: isoMillis(ts_ms),
        snapshot: null,
        key: this.readKey(record),
        prior_key: null,
        unchanged: [],
        payload: value.text,
      },
      schema: null,
      payloadBytes: value.bytes,
    };
  }
}

function base64Text(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new UnreadableRecord('invalid-base64', `${typeof value} instead of base64 text`);
}

function envelopeOf(payload: unknown): Envelope & { op: Op } {
  const envelope = payload as Envelope;
  if (!isObject(payload) || !isObject(envelope.source)) {
    throw new UnreadableRecord('no-envelope', 'the payload is no Debezium envelope: it has no source');
  }
  const image = ROW_IMAGE.get(envelope.op);
  if (image === undefined) {
    throw new UnreadableRecord('unknown-op', `op ${quoted(envelope.op)} is none of c, u, d, r, t`);
  }
  if (image !== null && !isObject(envelope[image])) {
    throw new UnreadableRecord('no-envelope', `op ${envelope.op} without the row's ${image}`);
  }
  return envelope as Envelope & { op: Op };
}

/** A transaction's id is `<txId>:<lsn>`; BEGIN and END of one transaction differ in the LSN. */
function transactionOf({ payload }: ConnectJson<null>): {
  op: Op;
  txId: string;
  lsn: string;
  ts_ms: unknown;
} {
  const id = isObject(payload) ? /^(\d{1,20}):(\d{1,20})$/.exec(String(payload['id'])) : null;
  if (!isObject(payload) || id === null) {
    throw new UnreadableRecord(
      'no-envelope',
      'the payload is no transaction metadata: it has no id txId:lsn',
    );
  }
  const op = TRANSACTION_OPS.get(payload['status']);
  if (op === undefined) {
    throw new UnreadableRecord('unknown-op', `status ${quoted(payload['status'])} is none of BEGIN, END`);
  }
  return { op, txId: id[1] as string, lsn: id[2] as string, ts_ms: payload['ts_ms'] };
}

function position(source: Source, transaction: Transaction, text: string): Position {
  if (!isExact(source.lsn) || !isExact(source.txId) || !isExact(transaction?.total_order)) {
    const exact = parseExactly(text) as Envelope;
    return position(exact.source, exact.transaction, text);
  }
  const [commitLsn, sequenceLsn] = sequenceOf(source.sequence);
  return {
    commit_lsn: commitLsn,
    lsn: decimal(source.lsn, 'source.lsn') ?? sequenceLsn,
    tx_id: decimal(source.txId, 'source.txId'),
    tx_order: decimal(transaction?.total_order, 'transaction.total_order'),
  };
}

/** Whether JSON.parse kept every digit. */
function isExact(value: unknown): boolean {
  return typeof value !== 'number' || Number.isSafeInteger(value);
}

function decimal(value: unknown, field: string): string | null {
  if (value === null || value === undefined) return null;
  const text = String(value);
  if ((typeof value === 'number' && value >= 0) || /^\d{1,20}$/.test(text)) return text;
  throw new UnreadableRecord('no-envelope', `${field} is no whole number`);
}

function sequenceOf(sequence: unknown): [string | null, string | null] {
  if (sequence === null || sequence === undefined) return [null, null];
  const parts = /^\[(?:null|"(\d+)"),(?:null|"(\d+)")\]$/.exec(String(sequence));
  if (parts === null) throw new UnreadableRecord('no-envelope', 'source.sequence is no pair of LSNs');
  return [parts[1] ?? null, parts[2] ?? null];
}

function snapshotOf({ snapshot }: Source): string | null {
  return typeof snapshot === 'string' && snapshot !== 'false' ? snapshot : null;
}

/** Largest distance from 1970 that a Date can hold, in ms (ECMA-262, 21.4.1.1). */
const MAX_DATE_MS = 8.64e15;

function isoMillis(millis: unknown): string | null {
  if (typeof millis !== 'number' || !(Math.abs(millis) <= MAX_DATE_MS)) return null;
  return new Date(millis).toISOString().replace('Z', '000Z');
}

/** The last whole second written: events come in the order of their commits, and a Date costs as much as the rest. */
let lastSecond = { number: 0, text: '1970-01-01T00:00:00' };

function isoMicros(micros: unknown): string | null {
  if (typeof micros !== 'number' || !Number.isSafeInteger(micros)) return null;
  const second = Math.floor(micros / 1_000_000);
  if (second !== lastSecond.number) {
    lastSecond = { number: second, text: new Date(second * 1000).toISOString().slice(0, -'.000Z'.length) };
  }
  return `${lastSecond.text}.${String(micros - second * 1_000_000).padStart(6, '0')}Z`;
}

function quoted(value: unknown): string {
  return String(JSON.stringify(value)).slice(0, 40);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
