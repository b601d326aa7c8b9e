import { CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeDeliveryStreamCommand, FirehoseClient } from '@aws-sdk/client-firehose';
import { DescribeClusterV2Command, KafkaClient } from '@aws-sdk/client-kafka';
import {
  GetFunctionConcurrencyCommand,
  GetFunctionConfigurationCommand,
  LambdaClient,
} from '@aws-sdk/client-lambda';
import { DescribePipeCommand, ListPipesCommand, PipesClient } from '@aws-sdk/client-pipes';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { Causes } from '../../../../functions/pipe-keeper/causes.ts';
import { largestLag } from '../../../../functions/pipe-keeper/consumer-lag.ts';
import { type FoundPipe, findPipes } from '../../../../functions/pipe-keeper/pipes.ts';

const [pipes, cloudWatch] = [mockClient(PipesClient), mockClient(CloudWatchClient)];
const [kafka, lambda, firehose] = [
  mockClient(KafkaClient),
  mockClient(LambdaClient),
  mockClient(FirehoseClient),
];
const clients = {
  kafka: new KafkaClient({}),
  lambda: new LambdaClient({}),
  firehose: new FirehoseClient({}),
};
const arn = (service: string, what: string) => `arn:aws:${service}:us-east-1:123456789012:${what}`;

const orders: FoundPipe = {
  name: 'cdc-demo-dev-orders',
  state: 'STOPPED',
  desired: 'RUNNING',
  reason: 'throttled',
  changedAt: new Date('2026-01-31T12:00:00Z'),
  source: arn('kafka', 'cluster/cdc-demo-dev/1111-1'),
  enrichment: arn('lambda', 'function:cdc-demo-dev-enrich'),
  target: arn('firehose', 'deliverystream/cdc-demo-dev-orders'),
};

beforeEach(() => {
  for (const mock of [pipes, cloudWatch, kafka, lambda, firehose]) mock.reset();
  kafka.on(DescribeClusterV2Command).resolves({ ClusterInfo: { State: 'ACTIVE' } });
  lambda.on(GetFunctionConfigurationCommand).resolves({ State: 'Active' });
  lambda.on(GetFunctionConcurrencyCommand).resolves({});
  firehose.on(DescribeDeliveryStreamCommand).resolves({
    DeliveryStreamDescription: { DeliveryStreamStatus: 'ACTIVE' } as never,
  });
});

describe('finding the pipes', () => {
  it('goes through every page, and describes those that do not run', async () => {
    pipes.on(ListPipesCommand, { NamePrefix: 'cdc-demo-dev-' }).resolves({
      Pipes: [{ Name: 'cdc-demo-dev-users', CurrentState: 'RUNNING' }],
      NextToken: 'two',
    });
    pipes.on(ListPipesCommand, { NextToken: 'two' }).resolves({
      Pipes: [{ Name: orders.name, CurrentState: 'STOPPED' }],
    });
    pipes.on(DescribePipeCommand, { Name: orders.name }).resolves({
      CurrentState: 'STOPPED',
      DesiredState: 'RUNNING',
      StateReason: 'throttled',
      LastModifiedTime: orders.changedAt,
      Source: orders.source,
      Enrichment: orders.enrichment,
      Target: orders.target,
    });
    expect(await findPipes(new PipesClient({}), 'cdc-demo-dev-')).toEqual({ count: 2, stopped: [orders] });
  });
});

describe('the cause of a stopped pipe', () => {
  it('is none when all that it hangs on does its work, and is looked for once', async () => {
    const causes = new Causes(clients);
    expect(await causes.of(orders)).toBeNull();
    expect(await causes.of({ ...orders, name: 'another' })).toBeNull();
    expect(kafka.calls()).toHaveLength(1);
    expect(firehose.commandCalls(DescribeDeliveryStreamCommand)[0]?.args[0].input).toEqual({
      DeliveryStreamName: 'cdc-demo-dev-orders',
    });
  });

  it.each<[string, () => void, string]>([
    [
      'the cluster',
      () => void kafka.on(DescribeClusterV2Command).resolves({ ClusterInfo: { State: 'REBOOTING_BROKER' } }),
      'the Kafka cluster .* is REBOOTING_BROKER',
    ],
    [
      'the function',
      () =>
        void lambda.on(GetFunctionConfigurationCommand).resolves({ State: 'Failed', StateReason: 'KMS key' }),
      'the enrichment .* is Failed: KMS key',
    ],
    [
      'its concurrency',
      () => void lambda.on(GetFunctionConcurrencyCommand).resolves({ ReservedConcurrentExecutions: 0 }),
      'throttled to 0',
    ],
    [
      'the stream',
      () => void firehose.on(DescribeDeliveryStreamCommand).rejects(new Error('no such stream')),
      "deliverystream/cdc-demo-dev-orders can't be looked at: no such stream",
    ],
  ])('is %s', async (_what, make, said) => {
    make();
    expect(await new Causes(clients).of(orders)).toMatch(new RegExp(said));
  });
});

describe('the largest lag', () => {
  const now = new Date('2026-01-31T12:00:00Z');

  it('is the newest value of the topic with the most', async () => {
    cloudWatch.on(GetMetricDataCommand).resolves({
      MetricDataResults: [
        { Label: 'cdc.public.users', Values: [3, 900] },
        { Label: 'cdc.public.orders', Values: [17, 5] },
        { Label: 'cdc.public.products', Values: [] },
      ],
    });
    expect(await largestLag(new CloudWatchClient({}), 'cdc-demo-dev', now)).toEqual({
      topic: 'cdc.public.orders',
      records: 17,
    });
  });

  it('is unknown of a cluster that nobody has read from', async () => {
    cloudWatch.on(GetMetricDataCommand).resolves({ MetricDataResults: [] });
    expect(await largestLag(new CloudWatchClient({}), 'cdc-demo-dev', now)).toBeNull();
  });
});
