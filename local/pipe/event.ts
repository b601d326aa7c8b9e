import type { IHeaders, KafkaMessage } from 'kafkajs';
import type { PipeKafkaRecord } from '../../functions/cdc/kafka-record.ts';

/**
 * What a pipe collects before it invokes: at most 6 MB by itself, and at most the records that a Firehose target takes
 * (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html).
 */
export type BatchLimits = { records: number; bytes: number };
export const PIPE_BATCH: BatchLimits = { records: 500, bytes: 6 * 1024 * 1024 };

/** Where a batch comes from. */
export type BatchSource = { clusterArn: string; topic: string; partition: number };

/** One invocation's event, and the offset that follows its last record. */
export type PipeBatch = { event: string; records: number; nextOffset: string };

/** A record that no pipe could deliver: its event alone is larger than an invocation may be. */
export class RecordTooLarge extends Error {
  override name = 'RecordTooLarge';
}

/**
 * Cuts messages of one partition into the events that a pipe would send to its enrichment, in order: a bare array of
 * records, without white space (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-msk.html).
 * @throws RecordTooLarge when it comes to a record above the limit; the batches before it have been yielded.
 */
export function* pipeBatches(
  source: BatchSource,
  messages: readonly KafkaMessage[],
  limits: BatchLimits = PIPE_BATCH,
): Generator<PipeBatch> {
  const head = recordHead(source);
  let records: string[] = [];
  let bytes = 2;
  let last = '';
  const close = () => ({ event: `[${records.join(',')}]`, records: records.length, nextOffset: after(last) });
  for (const message of messages) {
    const record = recordText(head, message);
    const size = Buffer.byteLength(record) + 1;
    if (records.length > 0 && (records.length >= limits.records || bytes + size > limits.bytes)) {
      yield close();
      records = [];
      bytes = 2;
    }
    if (bytes + size > limits.bytes) {
      throw new RecordTooLarge(
        `The record at offset ${message.offset} of ${source.topic}-${source.partition} is an event of ${size} bytes, above the ${limits.bytes} of an invocation: no pipe can deliver it. Lower max.request.size of the connector, or leave the column out.`,
      );
    }
    records.push(record);
    bytes += size;
    last = message.offset;
  }
  if (records.length > 0) yield close();
}

/** One message as a pipe would hand it over, for those who read a topic beside the pipe. */
export function pipeRecord(source: BatchSource, message: KafkaMessage): PipeKafkaRecord {
  return JSON.parse(recordText(recordHead(source), message)) as PipeKafkaRecord;
}

/** The part of a record that all of a partition share. */
function recordHead({ clusterArn, topic, partition }: BatchSource): string {
  const head = {
    eventSource: 'aws:kafka',
    eventSourceArn: clusterArn,
    eventSourceKey: `${topic}-${partition}`,
    topic,
    partition,
  };
  return JSON.stringify(head).slice(0, -1);
}

/** Written out, not through JSON.stringify: base64 needs no escaping, and a snapshot passes at 20 MB a second. */
function recordText(head: string, { offset, timestamp, key, value, headers }: KafkaMessage): string {
  const keyText = key === null ? '' : `,"key":"${key.toString('base64')}"`;
  // A tombstone has no value: the field is left out.
  const valueText = value === null ? '' : `,"value":"${value.toString('base64')}"`;
  return `${head},"offset":${offset},"timestamp":${timestamp},"timestampType":"CREATE_TIME"${keyText}${valueText},"headers":${headersText(headers)}}`;
}

/** `[{"name":[98,121,116,101,115]}]`, one object a header. */
function headersText(headers: IHeaders | undefined): string {
  if (headers === undefined) return '[]';
  const pairs = Object.entries(headers).flatMap(([name, values]) =>
    (Array.isArray(values) ? values : [values]).map((value) => ({ [name]: [...Buffer.from(value ?? '')] })),
  );
  return JSON.stringify(pairs);
}

function after(offset: string): string {
  return String(BigInt(offset) + 1n);
}
