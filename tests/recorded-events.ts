import { readFileSync } from 'node:fs';
import type { PipeKafkaRecord } from '../functions/cdc/kafka-record.ts';

/** The placeholder that the recordings of tests/fixtures/debezium were made with. */
export const PLACEHOLDER = '3f1c9a0e7b5d4c2f8a6e1d0b9c8f7a65';

/** A Kafka record as Debezium wrote it; key and value are the exact texts. */
export type RecordedEvent = {
  topic: string;
  partition: number;
  offset: string;
  timestamp: string;
  headers: Record<string, string>;
  key: string | null;
  value: string | null;
};

/** A text whose beginning, the schema, is kept once: index of the prefix, and the rest. */
type SplitText = [number, string] | null;

type Recording = {
  prefixes: string[];
  records: (Omit<RecordedEvent, 'key' | 'value'> & { key: SplitText; value: SplitText })[];
};

/** The records of `tests/fixtures/debezium/<name>.json`, in the order of the topic. */
export function recordedEvents(name: string): RecordedEvent[] {
  const file = new URL(`./fixtures/debezium/${name}.json`, import.meta.url);
  const { prefixes, records } = JSON.parse(readFileSync(file, 'utf8')) as Recording;
  const join = (text: SplitText) => text && `${prefixes[text[0]]}${text[1]}`;
  return records.map((record) => ({ ...record, key: join(record.key), value: join(record.value) }));
}

/** The record as an EventBridge pipe sends it. */
export function pipeRecord(recorded: RecordedEvent): PipeKafkaRecord {
  const { topic, partition, offset, timestamp, headers, key, value } = recorded;
  return {
    eventSource: 'aws:kafka',
    eventSourceArn:
      'arn:aws:kafka:us-east-1:123456789012:cluster/cdc-demo-dev/5e8f5d0c-0000-4000-8000-000000000000-1',
    eventSourceKey: `${topic}-${partition}`,
    topic,
    partition,
    offset: Number(offset),
    timestamp: Number(timestamp),
    timestampType: 'CREATE_TIME',
    key: base64(key),
    value: base64(value),
    headers: Object.entries(headers).map(([name, text]) => ({ [name]: [...Buffer.from(text)] })),
  };
}

function base64(text: string | null): string | null {
  return text === null ? null : Buffer.from(text).toString('base64');
}
