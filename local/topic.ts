/** Reads a table's topic in the twin's Kafka from outside: as its own consumer group, which commits nothing. */
import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { ChangeEventReader } from '../functions/cdc/change-event.ts';
import { UnreadableRecord } from '../functions/cdc/unreadable-record.ts';
import { pipeRecord } from './pipe/event.ts';
import type { FollowOptions } from './world.ts';

/**
 * Hands over the records of a topic as they come, tombstones left out, until the signal.
 * @param placeholder Debezium's token for unchanged values
 */
export async function followTopic(
  { broker, topic, placeholder }: { broker: string; topic: string; placeholder: string },
  { fromBeginning, signal, onRecord }: FollowOptions,
): Promise<void> {
  const kafka = new Kafka({ clientId: 'cdc-events', brokers: [broker], logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: `cdc-events-${randomUUID()}` });
  const reader = new ChangeEventReader(placeholder);
  const interrupted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  const broken = new Promise<never>((_, reject) => {
    consumer.on('consumer.crash', ({ payload }) => {
      if (!payload.restart) reject(payload.error);
    });
  });
  const next = new Map<number, string>();
  // A consumer that started again by itself goes on where it was: nothing is committed.
  consumer.on('consumer.group_join', () => {
    for (const [partition, offset] of next) consumer.seek({ topic, partition, offset });
  });
  await consumer.connect();
  try {
    await consumer.subscribe({ topic, fromBeginning });
    const running = consumer.run({
      autoCommit: false,
      eachMessage: async ({ partition, message }) => {
        next.set(partition, String(BigInt(message.offset) + 1n));
        if (message.value === null) return;
        try {
          const { event } = reader.read(pipeRecord({ clusterArn: '', topic, partition }, message));
          onRecord({ offset: message.offset, event });
        } catch (error) {
          if (!(error instanceof UnreadableRecord)) throw error;
          onRecord({ offset: message.offset, unreadable: error.message });
        }
      },
    });
    await Promise.race([running.then(() => interrupted), broken]);
  } finally {
    await consumer.disconnect();
  }
}
