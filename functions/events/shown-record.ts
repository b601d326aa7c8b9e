import type { KafkaMessage } from 'kafkajs';
import type { ChangeEventReader } from '../cdc/change-event.ts';
import type { PipeKafkaRecord } from '../cdc/kafka-record.ts';
import type { PackEvent } from '../cdc/pack.ts';
import { UnreadableRecord } from '../cdc/unreadable-record.ts';

/** What is shown of a change. */
export type ShownEvent = Pick<
  PackEvent,
  'offset' | 'op' | 'source_ts' | 'key' | 'prior_key' | 'unchanged' | 'payload'
>;

/** A change, or why it can't be shown. */
export type ShownRecord = { offset: string; event: ShownEvent } | { offset: string; unreadable: string };

/** A record larger than this (bytes of JSON) is only said to be there: an answer has room for 6 MB. */
const SHOWN_BYTES = 2 * 1024 * 1024;

/** Reads one message that is not a tombstone. */
export function shownRecord(
  reader: ChangeEventReader,
  topic: string,
  partition: number,
  message: KafkaMessage,
): ShownRecord {
  const { offset: at } = message;
  try {
    const { event } = reader.read(pipeRecord(topic, partition, message));
    const { offset, op, source_ts, key, prior_key, unchanged, payload } = event;
    const shown = { offset: at, event: { offset, op, source_ts, key, prior_key, unchanged, payload } };
    const bytes = Buffer.byteLength(JSON.stringify(shown));
    return bytes <= SHOWN_BYTES
      ? shown
      : { offset: at, unreadable: `it has ${bytes} bytes, too many to be shown` };
  } catch (error) {
    if (!(error instanceof UnreadableRecord)) throw error;
    return { offset: at, unreadable: error.message };
  }
}

/** The form in which the reader takes a record: a pipe's. */
function pipeRecord(topic: string, partition: number, message: KafkaMessage): PipeKafkaRecord {
  const headers = Object.entries(message.headers ?? {}).flatMap(([name, values]) =>
    (Array.isArray(values) ? values : [values]).map((value) => ({ [name]: [...Buffer.from(value ?? '')] })),
  );
  return {
    eventSource: 'aws:kafka',
    eventSourceArn: '',
    eventSourceKey: `${topic}-${partition}`,
    topic,
    partition,
    offset: message.offset,
    timestamp: message.timestamp,
    timestampType: 'CREATE_TIME',
    key: message.key?.toString('base64') ?? null,
    value: message.value?.toString('base64') ?? null,
    headers,
  };
}
