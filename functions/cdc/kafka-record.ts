/** Header that the connector adds to every record: the epoch that it was put for. */
export const EPOCH_HEADER = 'cdc.epoch';

/**
 * One Kafka record as an EventBridge pipe hands it to its enrichment: the event is a bare array of these
 * (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-msk.html).
 */
export type PipeKafkaRecord = {
  eventSource: string;
  eventSourceArn: string;
  eventSourceKey: string;
  topic: string;
  /** A number or its text, both are seen; so too offset and timestamp. */
  partition: number | string;
  offset: number | string;
  /** Milliseconds since 1970. */
  timestamp: number | string;
  timestampType: string;
  /** base64; null or absent without a key. */
  key?: string | null;
  /** base64; null or absent in a tombstone. */
  value?: string | null;
  /** One object a header: its name and its bytes. */
  headers?: KafkaHeader[] | null;
};

export type KafkaHeader = Record<string, number[]>;

/** The event is not what a pipe sends: the function is wired to something else, whatever the data is. */
export class NotAPipeBatch extends Error {
  override name = 'NotAPipeBatch';
}

/**
 * Checks that an event is a pipe's batch of Kafka records: an array whose elements say where they stand in Kafka.
 * Keys, values and headers are data and are not looked at.
 * @throws NotAPipeBatch
 */
export function pipeBatch(event: unknown): PipeKafkaRecord[] {
  if (!Array.isArray(event)) {
    throw new NotAPipeBatch(`expected an EventBridge pipe's array of Kafka records, got ${typeof event}`);
  }
  const stray = event.findIndex((record) => !hasPosition(record));
  if (stray >= 0) {
    throw new NotAPipeBatch(
      `element ${stray} has no topic, partition, offset and timestamp; the enrichment's source must be a Kafka topic`,
    );
  }
  return event;
}

function hasPosition(record: unknown): boolean {
  if (record === null || typeof record !== 'object') return false;
  const { topic, partition, offset, timestamp } = record as PipeKafkaRecord;
  return (
    typeof topic === 'string' &&
    topic !== '' &&
    isWhole(partition) &&
    isWhole(offset) &&
    /^-?\d{1,19}$/.test(String(timestamp))
  );
}

function isWhole(value: unknown): boolean {
  return (
    (Number.isSafeInteger(value) && (value as number) >= 0) ||
    (typeof value === 'string' && /^\d{1,19}$/.test(value))
  );
}

const EPOCH = /^[1-9]\d{0,8}$/;

/** The epoch of the connector that wrote a record, by its header; undefined where it has none, or no number. */
export function epochOfRecord(record: PipeKafkaRecord): number | undefined {
  const text = headerText(record, EPOCH_HEADER);
  return text !== null && EPOCH.test(text) ? Number(text) : undefined;
}

/** The bytes of a header as text, or null when the record has none of that name. Bytes may be signed, as in Java. */
export function headerText(record: PipeKafkaRecord, name: string): string | null {
  if (!Array.isArray(record.headers)) return null;
  for (const header of record.headers) {
    const bytes = header?.[name];
    if (Array.isArray(bytes)) return Buffer.from(bytes).toString('utf8');
  }
  return null;
}
