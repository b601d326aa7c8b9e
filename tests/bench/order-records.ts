import type { PipeKafkaRecord } from '../../functions/cdc/kafka-record.ts';
import { pipeRecord, type RecordedEvent, recordedEvents } from '../recorded-events.ts';

/** Bytes of key and value of some records, before base64. */
export function kafkaBytes(records: PipeKafkaRecord[]): number {
  return records.reduce((bytes, { key, value }) => bytes + base64Bytes(key) + base64Bytes(value), 0);
}

/**
 * A pipe's batch of order changes: the streamed events of the recording over and over (inserts, updates, a key change,
 * deletes with their tombstones), each with ids, amounts, LSNs and times of its own.
 */
export function orderRecords(firstOffset: number, count: number): PipeKafkaRecord[] {
  const records = Array.from({ length: count }, (_, index) => orderRecord(firstOffset + index));
  // As the Lambda runtime gets them: every text a string of its own, parsed from the event's JSON.
  return JSON.parse(JSON.stringify(records)) as PipeKafkaRecord[];
}

const streamed = recordedEvents('orders').filter(({ offset }) => Number(offset) >= 2 && Number(offset) <= 13);

function orderRecord(offset: number): PipeKafkaRecord {
  const recorded = streamed[offset % streamed.length] as RecordedEvent;
  return pipeRecord({
    ...recorded,
    offset: String(offset),
    timestamp: String(1_795_422_250_000 + offset),
    key: recorded.key?.replace(/"id":\d+\}/, `"id":${offset}}`) ?? null,
    value: recorded.value && change(recorded.value, offset),
  });
}

function change(value: string, number: number): string {
  const payload = value.indexOf('"payload":');
  const lsn = 32_169_944 + number * 56;
  const changed = value
    .slice(payload)
    .replaceAll(/"(id|user_id)":\d+/g, `"$1":${number}`)
    .replace(/"total_amount":"[\d.]+"/, `"total_amount":"${(number % 100_000) / 100}"`)
    .replace(/"sequence":"[^"]*\\"\d+\\"\]"/, `"sequence":"[\\"${lsn - 320}\\",\\"${lsn}\\"]"`)
    .replace(/"lsn":\d+/, `"lsn":${lsn}`)
    .replace(/"txId":\d+/, `"txId":${763 + Math.floor(number / 3)}`)
    .replace(/"ts_us":\d+/, `"ts_us":${1_795_422_250_205_713 + number * 17}`);
  return value.slice(0, payload) + changed;
}

function base64Bytes(text: string | null | undefined): number {
  return text ? Buffer.byteLength(text, 'base64') : 0;
}
