import { Kafka, logLevel } from 'kafkajs';
import type { Deployment } from '../../functions/cdc/names.ts';
import { clusterArn, type PipePlan } from './plan.ts';
import type { Enrich, PutLanding } from './ports.ts';
import { lagOf, type PipeStatus, writeStatus } from './status.ts';
import { DEFAULT_BACKOFF, DEFAULT_FILE, type FileRules, type PipeLog, TopicPipe } from './topic-pipe.ts';

export type PipeRunnerOptions = {
  deployment: Deployment;
  /** Kafka's address, host:port. */
  broker: string;
  plans: readonly PipePlan[];
  enrich: Enrich;
  putLanding: PutLanding;
  statusFile: string;
  file?: FileRules;
  log: PipeLog;
  onCrash: (error: Error) => void;
};

/** All pipes at work. */
export type PipeRunner = {
  status(): PipeStatus;
  /** Lands and commits what was enriched, then leaves Kafka. */
  stop(): Promise<void>;
};

const STATUS_EVERY_MS = 1_000;

/** Starts one pipe a topic; resolves when each reads its topic or waits for it to be made. */
export async function startPipes(options: PipeRunnerOptions): Promise<PipeRunner> {
  const kafka = kafkaClient(options);
  const shared = {
    kafka,
    clusterArn: clusterArn(options.deployment, await clusterId(kafka)),
    enrich: options.enrich,
    putLanding: options.putLanding,
    file: options.file ?? DEFAULT_FILE,
    backoff: DEFAULT_BACKOFF,
    log: options.log,
    onCrash: options.onCrash,
  };
  const pipes = options.plans.map((plan) => ({ plan, pipe: new TopicPipe(plan, shared) }));
  const startedAt = new Date().toISOString();
  const status = (): PipeStatus => ({
    pid: process.pid,
    startedAt,
    updatedAt: new Date().toISOString(),
    topics: Object.fromEntries(pipes.map(({ plan, pipe }) => [plan.topic, pipe.status])),
  });
  const write = () => writeStatus(options.statusFile, status());
  write();
  const admin = kafka.admin();
  await admin.connect();
  const lookAtEnds = async () => {
    for (const { plan, pipe } of pipes) {
      if (pipe.status.state === 'waiting') continue;
      const ends = await admin.fetchTopicOffsets(plan.topic);
      for (const { partition, high } of ends) pipe.status.end[partition] = high;
      pipe.status.lag = lagOf(pipe.status);
    }
  };
  // A broker that is away makes a look take long; the status is written all the same.
  let looking = false;
  const tick = setInterval(() => {
    if (!looking) {
      looking = true;
      lookAtEnds()
        .catch(() => undefined)
        .finally(() => {
          looking = false;
        });
    }
    write();
  }, STATUS_EVERY_MS);
  // One that waits for its topic must not hold up the others.
  for (const { pipe } of pipes) pipe.start().catch(options.onCrash);
  return {
    status,
    async stop() {
      clearInterval(tick);
      await Promise.all(pipes.map(({ pipe }) => pipe.stop()));
      await admin.disconnect();
      write();
    },
  };
}

function kafkaClient({ broker, log }: PipeRunnerOptions): Kafka {
  return new Kafka({
    clientId: 'cdc-pipe',
    brokers: [broker],
    logLevel: logLevel.ERROR,
    // A broker that restarts is waited for.
    retry: { initialRetryTime: 200, maxRetryTime: 5_000, retries: Number.MAX_SAFE_INTEGER },
    logCreator:
      () =>
      ({ namespace, log: { message, error } }) => {
        // A broker's refusal is tried again, or ends the consumer, which is told.
        if (namespace === 'Connection' && message.startsWith('Response ')) return;
        log('error', `kafka: ${message}`, { namespace, error: String(error ?? '') });
      },
  });
}

async function clusterId(kafka: Kafka): Promise<string> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    return (await admin.describeCluster()).clusterId;
  } finally {
    await admin.disconnect();
  }
}
