import { type TableSchema, tableSchema } from './column-type.ts';
import { ConnectJsonReader } from './connect-json.ts';
import { type Envelope, type Row, readEnvelope } from './envelope.ts';
import { headerText, type PipeKafkaRecord } from './kafka-record.ts';
import { TRANSACTION_TABLE, topicOf } from './names.ts';
import type { PackEvent } from './pack.ts';
import { readTransaction, type TransactionMark } from './transaction.ts';
import { unchangedColumns } from './unavailable-value.ts';
import { UnreadableRecord } from './unreadable-record.ts';

/** An event, the columns of its row (null in the transaction topic) and the UTF-8 bytes of its payload. */
export type ReadEvent = { event: PackEvent; schema: TableSchema | null; payloadBytes: number };

type RowSchema = TableSchema & { unchangedIn: (row: Row) => string[] };

const PRIOR_KEY_HEADER = '__debezium.oldkey';
const TRANSACTION_TOPIC = topicOf(TRANSACTION_TABLE);

/** Reads Debezium's records. Keeps the last schema of each topic, so one reader should serve many batches. */
export class ChangeEventReader {
  readonly #keys = new ConnectJsonReader({
    schema: () => null,
    payload: (text): unknown => JSON.parse(text),
  });
  readonly #transactions = new ConnectJsonReader<null, TransactionMark>({
    schema: () => null,
    payload: readTransaction,
  });
  readonly #changes: ConnectJsonReader<RowSchema, Envelope>;

  /** @param placeholder Debezium's `unavailable.value.placeholder` */
  constructor(placeholder: string) {
    const rowSchema = (written: unknown): RowSchema => {
      const schema = tableSchema(written);
      return { ...schema, unchangedIn: unchangedColumns(schema.columns, placeholder) };
    };
    this.#changes = new ConnectJsonReader({ schema: rowSchema, payload: readEnvelope });
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
    const { schema, payload, text, bytes } = this.#changes.read(record.topic, base64Text(record.value));
    return {
      event: {
        offset: String(record.offset),
        kafka_ts: String(record.timestamp),
        op: payload.op,
        commit_lsn: payload.commit_lsn,
        lsn: payload.lsn,
        tx_id: payload.tx_id,
        tx_order: payload.tx_order,
        source_ts: payload.source_ts,
        snapshot: payload.snapshot,
        key: this.readKey(record),
        prior_key: headerText(record, PRIOR_KEY_HEADER),
        unchanged: payload.after === null ? [] : schema.unchangedIn(payload.after),
        payload: text,
      },
      schema,
      payloadBytes: bytes,
    };
  }

  #readTransaction(record: PipeKafkaRecord): ReadEvent {
    const { payload, text, bytes } = this.#transactions.read(record.topic, base64Text(record.value));
    return {
      event: {
        offset: String(record.offset),
        kafka_ts: String(record.timestamp),
        op: payload.op,
        commit_lsn: null,
        lsn: payload.lsn,
        tx_id: payload.tx_id,
        tx_order: null,
        source_ts: payload.source_ts,
        snapshot: null,
        key: this.readKey(record),
        prior_key: null,
        unchanged: [],
        payload: text,
      },
      schema: null,
      payloadBytes: bytes,
    };
  }
}

function base64Text(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new UnreadableRecord('invalid-base64', `${typeof value} instead of base64 text`);
}
