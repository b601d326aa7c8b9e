import type { Kafka, KafkaMessage } from 'kafkajs';
import { z } from 'zod';
import { readTopic } from './read-topic.ts';
import type { Notification } from './snapshot-end.ts';

/**
 * How many of the newest are read. Debezium sends one for each piece of 1,024 rows: the end of a snapshot is behind so
 * many only if ten million rows were read since, by a snapshot that somebody else asked for.
 */
const NEWEST = 10_000;
/** Ends before the function's own time. In ms. */
const READ_WITHIN_MS = 20_000;

/** The values of a map of strings, of which some depend on the type. */
const value = z.object({
  payload: z.object({
    id: z.string(),
    type: z.string(),
    additional_data: z
      .object({ status: z.string().nullish(), total_rows_scanned: z.string().nullish() })
      .nullish(),
  }),
});

/**
 * Reads Debezium's newest notifications, oldest first.
 * @throws Error when Kafka can't be reached, or doesn't hand over all of them in time
 */
export async function readNotifications(kafka: Kafka, topic: string): Promise<Notification[]> {
  const { next } = await readTopic(kafka, topic, { from: 'end', limit: 1, waitMs: 0 }, notification);
  const from = Object.fromEntries(
    Object.entries(next).map(([partition, end]) => [partition, String(Math.max(0, Number(end) - NEWEST))]),
  );
  const read = await readTopic(kafka, topic, { from, limit: NEWEST, waitMs: READ_WITHIN_MS }, notification);
  const behind = Object.entries(next).find(
    ([partition, end]) => BigInt(read.next[partition] ?? '0') < BigInt(end),
  );
  if (behind === undefined) return read.records;
  throw new Error(
    `The topic ${topic} was read to offset ${read.next[behind[0]]} of ${behind[1]} within ${READ_WITHIN_MS / 1000} s; ask again.`,
  );
}

function notification(_partition: number, message: KafkaMessage): Notification {
  const { payload } = value.parse(JSON.parse(message.value?.toString() ?? ''));
  const { id, type, additional_data: more } = payload;
  return { id, type, status: more?.status ?? null, rows: more?.total_rows_scanned ?? null };
}
