import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { DescribeDeliveryStreamCommand, FirehoseClient } from '@aws-sdk/client-firehose';
import { DescribePipeCommand, ListPipesCommand, PipesClient } from '@aws-sdk/client-pipes';
import type { Deployment } from '../../functions/cdc/names.ts';
import type { PipePlan } from '../../local/pipe/plan.ts';
import { lambdaEnrichment, s3Landing } from '../../local/pipe/ports.ts';
import { type PipeRunner, startPipes } from '../../local/pipe/runner.ts';
import type { PipeStatus } from '../../local/pipe/status.ts';
import { Follower } from './follow.ts';
import { appender } from './log.ts';
import { logOf, type World } from './world.ts';

/** A pipe as it was deployed, with the stream behind it. */
export type DeployedPipe = {
  name: string;
  plan: PipePlan;
  /** ARN of the function that enriches. */
  enrichment: string;
  bucket: string;
  windowSeconds: number;
};

/** Every pipe of the deployment, read from the services. */
export async function deployedPipes({ clients }: Pick<World, 'clients'>): Promise<DeployedPipe[]> {
  const pipes = new PipesClient(clients);
  const firehose = new FirehoseClient(clients);
  const { Pipes = [] } = await pipes.send(new ListPipesCommand({ Limit: 100 }));
  return Promise.all(
    Pipes.map(async ({ Name }) => {
      const pipe = await pipes.send(new DescribePipeCommand({ Name }));
      const source = pipe.SourceParameters?.ManagedStreamingKafkaParameters;
      const stream = pipe.Target?.split('deliverystream/')[1] ?? '';
      const described = await firehose.send(
        new DescribeDeliveryStreamCommand({ DeliveryStreamName: stream }),
      );
      const [destination] = described.DeliveryStreamDescription?.Destinations ?? [];
      const s3 = destination?.ExtendedS3DestinationDescription;
      // What Firehose puts there is what bronze lists: landing/<table>/yyyy/MM/dd/HH/.
      const table = /^landing\/([^/]+)\/!\{timestamp:yyyy\/MM\/dd\/HH\}\/$/.exec(s3?.Prefix ?? '')?.[1];
      if (table === undefined) throw new Error(`${stream} puts its files under ${s3?.Prefix}`);
      return {
        name: Name ?? '',
        plan: { table, topic: source?.TopicName ?? '', group: source?.ConsumerGroupID ?? '', stream },
        enrichment: pipe.Enrichment ?? '',
        bucket: s3?.BucketARN?.split(':::')[1] ?? '',
        windowSeconds: source?.MaximumBatchingWindowInSeconds ?? 0,
      };
    }),
  );
}

/**
 * What EventBridge does: runs those of the deployed pipes that are wanted on the real Kafka, each record through the
 * deployed function into the deployed bucket, and none that was stopped.
 */
export class EventBridgePipes {
  readonly #world: World;
  readonly #deployment: Deployment;
  readonly #onCrash: (error: Error) => void;
  readonly #client: PipesClient;
  readonly #write: (text: string) => void;
  readonly #follower: Follower;
  #runs: string[] = [];
  #runner: PipeRunner | undefined;

  constructor(world: World, deployment: Deployment, onCrash: (error: Error) => void) {
    this.#world = world;
    this.#deployment = deployment;
    this.#onCrash = onCrash;
    this.#client = new PipesClient(world.clients);
    this.#write = appender(logOf(world, 'pipes'));
    this.#follower = new Follower(() => this.#look(), this.#write);
  }

  /** By topic; of those that run. */
  get topics(): PipeStatus['topics'] {
    return this.#runner?.status().topics ?? {};
  }

  async stop(): Promise<void> {
    await this.#follower.stop();
    await this.#runner?.stop();
    this.#client.destroy();
  }

  async #look(): Promise<void> {
    const { Pipes = [] } = await this.#client.send(
      new ListPipesCommand({ DesiredState: 'RUNNING', Limit: 100 }),
    );
    const wanted = Pipes.map(({ Name = '' }) => Name).sort();
    if (isDeepStrictEqual(wanted, this.#runs)) return;
    await this.#runner?.stop();
    this.#runner = undefined;
    this.#runs = [];
    const pipes = (await deployedPipes(this.#world)).filter(({ name }) => wanted.includes(name));
    if (pipes.length > 0) this.#runner = await this.#run(pipes);
    this.#runs = wanted;
  }

  async #run(pipes: readonly DeployedPipe[]): Promise<PipeRunner> {
    const [first] = pipes;
    return startPipes({
      deployment: this.#deployment,
      broker: this.#world.broker,
      plans: pipes.map(({ plan }) => plan),
      enrich: lambdaEnrichment(first?.enrichment ?? '', this.#world.clients),
      putLanding: s3Landing(first?.bucket ?? '', this.#world.clients),
      statusFile: join(this.#world.state.paths.root, 'pipes.json'),
      log: (level, message, fields) => this.#write(`${JSON.stringify({ level, message, ...fields })}\n`),
      onCrash: this.#onCrash,
    });
  }
}
