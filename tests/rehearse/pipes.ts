import { join } from 'node:path';
import { DescribeDeliveryStreamCommand, FirehoseClient } from '@aws-sdk/client-firehose';
import { DescribePipeCommand, ListPipesCommand, PipesClient } from '@aws-sdk/client-pipes';
import type { Deployment } from '../../functions/cdc/names.ts';
import type { PipePlan } from '../../local/pipe/plan.ts';
import { lambdaEnrichment, s3Landing } from '../../local/pipe/ports.ts';
import { type PipeRunner, startPipes } from '../../local/pipe/runner.ts';
import { appender } from './log.ts';
import { logOf, type World } from './world.ts';

/** A pipe as it was deployed, with the stream behind it. */
export type DeployedPipe = {
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
        plan: { table, topic: source?.TopicName ?? '', group: source?.ConsumerGroupID ?? '', stream },
        enrichment: pipe.Enrichment ?? '',
        bucket: s3?.BucketARN?.split(':::')[1] ?? '',
        windowSeconds: source?.MaximumBatchingWindowInSeconds ?? 0,
      };
    }),
  );
}

/** Runs the deployed pipes on the real Kafka: each record through the deployed function into the deployed bucket. */
export async function runPipes(
  world: World,
  deployment: Deployment,
  pipes: readonly DeployedPipe[],
  onCrash: (error: Error) => void,
): Promise<PipeRunner> {
  const [first] = pipes;
  if (first === undefined) throw new Error('The deployment has no pipes');
  const write = appender(logOf(world, 'pipes'));
  return startPipes({
    deployment,
    broker: world.broker,
    plans: pipes.map(({ plan }) => plan),
    enrich: lambdaEnrichment(first.enrichment, world.clients),
    putLanding: s3Landing(first.bucket, world.clients),
    statusFile: join(world.state.paths.root, 'pipes.json'),
    log: (level, message, fields) => write(`${JSON.stringify({ level, message, ...fields })}\n`),
    onCrash,
  });
}
