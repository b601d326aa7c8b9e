import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import kafkajs, { type EachBatchPayload, type Kafka, type KafkaMessage } from 'kafkajs';
import { TopicPipe } from '../../../../local/pipe/topic-pipe.ts';

const { KafkaJSConnectionError, KafkaJSNonRetriableError, KafkaJSProtocolError } = kafkajs;

const TOPIC = 'cdc.public.users';
const PLAN = { table: 'public.users', topic: TOPIC, group: 'g', stream: 's' };
const pipes: TopicPipe[] = [];

afterEach(async () => {
  for (const pipe of pipes.splice(0)) await pipe.stop();
});

/** As kafkajs hands it out of `commitOffsets`: in an error that is not to be retried. */
function refusal(type: string): Error {
  const answer = Object.assign(new KafkaJSProtocolError(type), { type, retriable: false });
  return new (KafkaJSNonRetriableError as new (e: Error, o: ErrorOptions) => Error)(answer, {
    cause: answer,
  });
}

/** A pipe whose group fails the commits listed, one after the other, and then takes them. */
async function pipeWith(failures: Error[], rules = { bytes: 1, maxAgeMs: 60_000, quietMs: 60_000 }) {
  const seen = { attempts: [] as string[], committed: [] as string[], landed: 0, join: () => {} };
  let deliver: ((payload: EachBatchPayload) => Promise<void>) | undefined;
  const consumer = {
    events: { CRASH: 'crash', GROUP_JOIN: 'join' },
    on: (event: string, listener: () => void) => {
      if (event === 'join') seen.join = listener;
    },
    connect: async () => {},
    disconnect: async () => {},
    subscribe: async () => {},
    run: async ({ eachBatch }: { eachBatch: typeof deliver }) => {
      deliver = eachBatch;
    },
    commitOffsets: async (offsets: { offset: string }[]) => {
      seen.attempts.push(...offsets.map(({ offset }) => offset));
      const failure = failures.shift();
      if (failure) throw failure;
      seen.committed.push(...offsets.map(({ offset }) => offset));
    },
  };
  const admin = { connect: async () => {}, disconnect: async () => {}, listTopics: async () => [TOPIC] };
  const pipe = new TopicPipe(PLAN, {
    kafka: { consumer: () => consumer, admin: () => admin } as unknown as Kafka,
    clusterArn: 'arn',
    enrich: async () => Buffer.from('[{}]'),
    putLanding: async () => {
      seen.landed += 1;
    },
    file: rules,
    backoff: { firstMs: 1, maxMs: 1 },
    log: () => {},
    onCrash: () => {},
  });
  pipes.push(pipe);
  await pipe.start();
  seen.join();
  const read = (...offsets: string[]) =>
    deliver?.({
      batch: { topic: TOPIC, partition: 0, highWatermark: '9', messages: offsets.map(message) },
      resolveOffset: () => {},
      heartbeat: async () => {},
      isRunning: () => true,
      isStale: () => false,
    } as unknown as EachBatchPayload);
  return { pipe, seen, read };
}

function message(offset: string): KafkaMessage {
  return { offset, timestamp: '0', attributes: 0, key: null, value: Buffer.from('v') } as KafkaMessage;
}

describe('a pipe that its consumer group has put out', () => {
  it.each(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'REBALANCE_IN_PROGRESS'])(
    'leaves its batch on %s with the error for which the client joins again',
    async (type) => {
      const { pipe, seen, read } = await pipeWith([refusal(type)]);
      await expect(read('0')).rejects.toMatchObject({ name: 'KafkaJSProtocolError', type });
      expect(seen).toMatchObject({ attempts: ['1'], committed: [], landed: 1 });
      expect(pipe.status).toMatchObject({ state: 'stalled', committed: {} });
      // Until it has joined, it takes nothing.
      await expect(read('1')).rejects.toMatchObject({ type });
      expect(seen).toMatchObject({ attempts: ['1'], landed: 1 });

      seen.join();
      await read('0');
      expect(seen.committed).toEqual(['1']);
      expect(pipe.status).toMatchObject({ state: 'running', committed: { 0: '1' } });
    },
  );

  it('forgets what it had read and not landed', async () => {
    const { pipe, seen, read } = await pipeWith([], { bytes: 1e6, maxAgeMs: 60_000, quietMs: 60_000 });
    await read('0', '1');
    seen.join();
    await pipe.stop();
    expect(seen).toMatchObject({ attempts: [], landed: 0 });
  });

  it('repeats a commit that failed for another reason', async () => {
    const { seen, read } = await pipeWith([new KafkaJSConnectionError('away')]);
    await read('0');
    expect(seen).toMatchObject({ attempts: ['1', '1'], committed: ['1'], landed: 1 });
  });
});

describe('a pipe that is stopped on its way into its group', () => {
  /** A pipe whose consumer is told how its joining ends. */
  function joiningPipe() {
    const steps: string[] = [];
    const joining = Promise.withResolvers<void>();
    const ready = Promise.withResolvers<void>();
    const consumer = {
      events: { CRASH: 'crash', GROUP_JOIN: 'join' },
      on: () => {},
      connect: async () => {},
      disconnect: async () => void steps.push('left'),
      subscribe: async () => {},
      run: async () => {
        ready.resolve();
        await joining.promise;
        steps.push('joined');
      },
    };
    const admin = { connect: async () => {}, disconnect: async () => {}, listTopics: async () => [TOPIC] };
    const pipe = new TopicPipe(PLAN, {
      kafka: { consumer: () => consumer, admin: () => admin } as unknown as Kafka,
      clusterArn: 'arn',
      enrich: async () => Buffer.from('[]'),
      putLanding: async () => {},
      file: { bytes: 1, maxAgeMs: 1, quietMs: 1 },
      backoff: { firstMs: 1, maxMs: 1 },
      log: () => {},
      onCrash: () => {},
    });
    return { pipe, steps, joining, ready: ready.promise };
  }

  it('leaves it after it has come in', async () => {
    const { pipe, steps, joining, ready } = joiningPipe();
    const started = pipe.start();
    await ready;
    const stopped = pipe.stop();
    // Whatever stop does without waiting is done by then.
    await nextTurn();
    joining.resolve();
    await Promise.all([started, stopped]);
    expect(steps).toEqual(['joined', 'left']);
  });

  it('takes it for no failure that it could not come in', async () => {
    const { pipe, steps, joining, ready } = joiningPipe();
    const started = pipe.start();
    await ready;
    const stopped = pipe.stop();
    joining.reject(new Error('the broker is gone'));
    await expect(started).resolves.toBeUndefined();
    await stopped;
    expect(steps).toEqual(['left']);
  });
});
