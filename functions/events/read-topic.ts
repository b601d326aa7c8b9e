import { randomUUID } from 'node:crypto';
import type { Consumer, Kafka, KafkaMessage } from 'kafkajs';
import type { EventsRequest, Position } from './event.ts';

/** Records in order of their partition, as they were read, and where to go on. */
export type TopicPart<Read> = { records: Read[]; next: Position };

/** Reads one message that is not a tombstone. */
export type ReadMessage<Read> = (partition: number, message: KafkaMessage) => Read;

/** Lambda takes 6 MB for an answer (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html). */
const ANSWER_BYTES = 3.5 * 1024 * 1024;

const FETCH_WAIT_MS = 500;

/** First and next offset of a partition, as Kafka says them. */
type Ends = { partition: number; low: string; high: string };

/**
 * Reads a topic from a position on: what is there, or, when nothing is, what comes within `waitMs`. Commits nothing; its
 * consumer group is of this call alone.
 * @throws Error when Kafka can't be reached
 */
export async function readTopic<Read>(
  kafka: Kafka,
  topic: string,
  { from, limit, waitMs }: Omit<EventsRequest, 'table'>,
  read: ReadMessage<Read>,
): Promise<TopicPart<Read>> {
  const ends = await endsOf(kafka, topic);
  const start = startOf(from, ends);
  const taking = new Taking(read, limit, start, ends);
  // Nothing there, and nobody waits for more.
  if (taking.isCaughtUp && waitMs === 0) return taking.answer();
  const consumer = kafka.consumer({
    groupId: `cdc-events-${randomUUID()}`,
    allowAutoTopicCreation: false,
    // A fetch that waits longer would hold up the end of the call.
    maxWaitTimeInMs: FETCH_WAIT_MS,
  });
  const crashed = new Promise<never>((_, reject) => {
    consumer.on('consumer.crash', ({ payload }) => {
      // A coordinator that is not there yet, as on a new cluster: the client starts again by itself.
      if (!payload.restart) reject(payload.error);
    });
  });
  try {
    await consumer.connect();
    const taken = consume(consumer, topic, start, taking).then(() =>
      Promise.race([taking.enough, after(waitMs)]),
    );
    await Promise.race([taken, crashed]);
    taking.close();
    return taking.answer();
  } finally {
    taking.close();
    await consumer.disconnect();
  }
}

async function endsOf(kafka: Kafka, topic: string): Promise<Ends[]> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await admin.fetchTopicOffsets(topic);
  } finally {
    await admin.disconnect();
  }
}

/** A position that the topic doesn't hold any more, or not yet, is the nearest that it holds. */
export function startOf(from: EventsRequest['from'], ends: readonly Ends[]): Position {
  return Object.fromEntries(
    ends.map(({ partition, low, high }) => {
      if (from === 'beginning') return [partition, low];
      if (from === 'end') return [partition, high];
      const asked = from[partition];
      if (asked === undefined || BigInt(asked) < BigInt(low)) return [partition, low];
      return [partition, BigInt(asked) > BigInt(high) ? high : asked];
    }),
  );
}

async function consume(
  consumer: Consumer,
  topic: string,
  start: Position,
  taking: Taking<unknown>,
): Promise<void> {
  await consumer.subscribe({ topic });
  // Each time that the group is joined: a consumer that started again has forgotten where it was.
  consumer.on('consumer.group_join', () => {
    for (const [partition, offset] of Object.entries(start)) {
      consumer.seek({ topic, partition: Number(partition), offset });
    }
  });
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ partition, message }) => taking.take(partition, message),
  });
}

/** Collects records until there are enough, or the topic's end as it was at the start is reached. */
class Taking<Read> {
  readonly enough: Promise<void>;
  readonly #read: ReadMessage<Read>;
  readonly #limit: number;
  readonly #next: Position;
  readonly #ends: readonly Ends[];
  readonly #records: Read[] = [];
  #bytes = 0;
  #closed = false;
  #onEnough: () => void = () => undefined;

  constructor(read: ReadMessage<Read>, limit: number, start: Position, ends: readonly Ends[]) {
    this.#read = read;
    this.#limit = limit;
    this.#next = { ...start };
    this.#ends = ends;
    this.enough = new Promise((resolve) => {
      this.#onEnough = resolve;
    });
  }

  get isCaughtUp(): boolean {
    return this.#ends.every(({ partition, high }) => BigInt(this.#next[partition] ?? '0') >= BigInt(high));
  }

  take(partition: number, message: KafkaMessage): void {
    // Fetched before the seek, or after there was enough.
    if (this.#closed || BigInt(message.offset) < BigInt(this.#next[partition] ?? '0')) return;
    if (message.value !== null) {
      const record = this.#read(partition, message);
      this.#bytes += Buffer.byteLength(JSON.stringify(record));
      // The first one always has room.
      if (this.#records.length > 0 && this.#bytes > ANSWER_BYTES) {
        this.close();
        return;
      }
      this.#records.push(record);
    }
    this.#next[partition] = String(BigInt(message.offset) + 1n);
    if (this.#records.length >= this.#limit || (this.#records.length > 0 && this.isCaughtUp)) this.close();
  }

  close(): void {
    this.#closed = true;
    this.#onEnough();
  }

  answer(): TopicPart<Read> {
    return { records: this.#records, next: this.#next };
  }
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
