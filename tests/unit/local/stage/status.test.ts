import {
  CloudFormationClient,
  DescribeStacksCommand,
  ListStackResourcesCommand,
} from '@aws-sdk/client-cloudformation';
import { CloudWatchClient, DescribeAlarmsCommand, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeServicesCommand, ECSClient } from '@aws-sdk/client-ecs';
import { DescribeDeliveryStreamCommand, FirehoseClient } from '@aws-sdk/client-firehose';
import { DescribeClusterV2Command, KafkaClient } from '@aws-sdk/client-kafka';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DescribePipeCommand, PipesClient } from '@aws-sdk/client-pipes';
import { DBInstanceNotFoundFault, DescribeDBInstancesCommand, RDSClient } from '@aws-sdk/client-rds';
import { GetObjectCommand, NoSuchKey, S3Client } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { parseRegistry } from '../../../../functions/cdc/registry.ts';
import { describeStatus } from '../../../../local/cli/status.ts';
import type { Place } from '../../../../local/stage/place.ts';
import { readStageStatus } from '../../../../local/stage/status.ts';

const REGISTRY = parseRegistry('project: cdc_demo\nepoch: 1\ntables: {users: {}, orders: {}}');
const CLUSTER = 'arn:aws:kafka:us-east-1:1:cluster/cdc-demo-dev/0123-45';
const SERVICE = 'arn:aws:ecs:us-east-1:1:service/cdc-demo-dev/cdc-demo-dev-connect';
const PLACE: Place = {
  stage: 'dev',
  settings: { region: 'us-east-1' },
  deployment: { project: 'cdc_demo', stage: 'dev' },
  region: 'us-east-1',
  account: '1',
  partition: 'aws',
  caller: 'arn:aws:iam::1:user/ada',
  name: (part) => (part === undefined ? 'cdc-demo-dev' : `cdc-demo-dev-${part}`),
  arn: (service, resource) => `arn:aws:${service}:us-east-1:1:${resource}`,
};

const cloudFormation = mockClient(CloudFormationClient);
const cloudWatch = mockClient(CloudWatchClient);
const ecs = mockClient(ECSClient);
const firehose = mockClient(FirehoseClient);
const kafka = mockClient(KafkaClient);
const lambda = mockClient(LambdaClient);
const pipes = mockClient(PipesClient);
const rds = mockClient(RDSClient);
const s3 = mockClient(S3Client);

function answers(name: string, answer: object): void {
  const Payload = { transformToString: () => JSON.stringify(answer) };
  lambda.on(InvokeCommand, { FunctionName: `cdc-demo-dev-${name}` }).resolves({ Payload } as object);
}

/** Where it is stored is no matter here; JSON is. */
function report(layer: string, more: object): void {
  const content = JSON.stringify({
    report: 1,
    run_id: 'r1',
    layer,
    status: 'ok',
    tables: [],
    checks: [],
    batch: 3,
    finished_at: '2026-11-23T10:00:00Z',
    ...more,
  });
  const Body = { transformToString: async () => content };
  s3.on(GetObjectCommand, { Key: `reports/latest/${layer}.json` }).resolves({ Body } as object);
}

/** A stage that does what it should. */
beforeEach(() => {
  for (const mock of [cloudFormation, cloudWatch, ecs, firehose, kafka, lambda, pipes, rds, s3]) mock.reset();
  cloudFormation.on(DescribeStacksCommand).resolves({
    Stacks: [{ StackName: 'cdc-demo-dev', StackStatus: 'UPDATE_COMPLETE', CreationTime: new Date(0) }],
  });
  const resources = {
    LandingBucket: 'landing',
    KafkaCluster: CLUSTER,
    ConnectService: SERVICE,
    Database: 'db',
  };
  const summaries = Object.entries(resources).map(([LogicalResourceId, PhysicalResourceId]) => ({
    LogicalResourceId,
    PhysicalResourceId,
    ResourceType: 'x',
    ResourceStatus: 'CREATE_COMPLETE' as const,
    LastUpdatedTimestamp: new Date(0),
  }));
  // CloudFormation answers in pages.
  cloudFormation
    .on(ListStackResourcesCommand)
    .resolves({ StackResourceSummaries: summaries.slice(0, 2), NextToken: 'more' });
  cloudFormation
    .on(ListStackResourcesCommand, { NextToken: 'more' })
    .resolves({ StackResourceSummaries: summaries.slice(2) });
  kafka.on(DescribeClusterV2Command).resolves({ ClusterInfo: { State: 'ACTIVE' } });
  ecs
    .on(DescribeServicesCommand)
    .resolves({ services: [{ status: 'ACTIVE', runningCount: 1, desiredCount: 1 }] });
  rds.on(DescribeDBInstancesCommand).resolves({ DBInstances: [{ DBInstanceStatus: 'available' }] });
  pipes.on(DescribePipeCommand).resolves({ CurrentState: 'RUNNING' });
  firehose
    .on(DescribeDeliveryStreamCommand)
    .resolves({ DeliveryStreamDescription: { DeliveryStreamStatus: 'ACTIVE' } } as object);
  cloudWatch.on(DescribeAlarmsCommand).resolves({ MetricAlarms: [] });
  cloudWatch.on(GetMetricDataCommand).resolves({ MetricDataResults: [] });
  s3.on(GetObjectCommand).rejects(new NoSuchKey({ message: 'none', $metadata: {} }));
  answers('connector', {
    connector: 'c',
    condition: { state: 'running', snapshot: 'complete', error: null },
  });
  answers('slot-monitor', { measures: { SlotActive: 1, SlotLagBytes: 2_500_000 }, problem: null });
});

function part(status: Awaited<ReturnType<typeof readStageStatus>>, name: string) {
  return status.parts.find((entry) => entry.part === name);
}

describe("a stage's status", () => {
  it('of a sound stage has every part ok, and goes on over what has not run yet', async () => {
    const status = await readStageStatus(PLACE, REGISTRY);
    expect(status.parts.map(({ part, ok }) => [part, ok])).toEqual([
      ['stack', true],
      ['Kafka', true],
      ['Kafka Connect', true],
      ['source database', true],
      ['pipes and streams', true],
    ]);
    expect(status.slot).toEqual({ confirmed_lsn: null, behind_bytes: '2500000', problem: null });
    expect(describeStatus(status)).toContain('slot 2.5 MB of WAL behind the source');
    expect(describeStatus(status)).toContain('no run yet');
  });

  it('counts per table what Kafka holds back, what has landed and what the lake has', async () => {
    cloudWatch.on(GetMetricDataCommand).resolves({
      MetricDataResults: [
        { Id: 'lag0', Values: [17, 3] },
        { Id: 'lag1', Values: [] },
      ],
    });
    report('bronze', {
      partitions: [{ topic: 'cdc.public.users', partition: 0, frontier: '99', highest: '99', gaps: [] }],
      tables: [
        {
          table: 'public.users',
          total_rows: 90,
          quarantined: 1,
          held: null,
          checks: [],
          high_water_lsn: '7',
        },
      ],
    });
    const { tables } = await readStageStatus(PLACE, REGISTRY);
    expect(tables[0]).toMatchObject({
      table: 'public.users',
      pipe: 'running',
      lag: 17,
      landed: 100,
      bronze: 90,
    });
    expect(tables[1]).toMatchObject({ table: 'public.orders', lag: null, landed: null, bronze: null });
    const asked = cloudWatch.commandCalls(GetMetricDataCommand)[0]?.args[0].input.MetricDataQueries?.[0];
    expect(asked?.MetricStat?.Metric?.Dimensions).toEqual([
      { Name: 'Cluster Name', Value: 'cdc-demo-dev' },
      { Name: 'Consumer Group', Value: 'cdc-demo-dev-pipe-users' },
      { Name: 'Topic', Value: 'cdc.public.users' },
    ]);
  });

  it('says which pipe stands and why, and which stream is not there', async () => {
    pipes
      .on(DescribePipeCommand, { Name: 'cdc-demo-dev-users' })
      .resolves({ CurrentState: 'STOPPED', StateReason: 'too many errors' });
    firehose
      .on(DescribeDeliveryStreamCommand, { DeliveryStreamName: 'cdc-demo-dev-orders' })
      .rejects(Object.assign(new Error('no'), { name: 'ResourceNotFoundException' }));
    const status = await readStageStatus(PLACE, REGISTRY);
    expect(status.tables.map(({ pipe }) => pipe)).toEqual(['pipe STOPPED: too many errors', 'missing']);
    expect(part(status, 'pipes and streams')).toMatchObject({ state: '1 of 3 running', ok: false });
  });

  it('sees that Connect was scaled to 0, and that the database is gone', async () => {
    ecs
      .on(DescribeServicesCommand)
      .resolves({ services: [{ status: 'ACTIVE', runningCount: 0, desiredCount: 0 }] });
    rds
      .on(DescribeDBInstancesCommand)
      .rejects(new DBInstanceNotFoundFault({ message: 'gone', $metadata: {} }));
    const status = await readStageStatus(PLACE, REGISTRY);
    expect(part(status, 'Kafka Connect')).toMatchObject({
      ok: false,
      detail: expect.stringContaining('scaled to 0'),
    });
    expect(part(status, 'source database')).toMatchObject({ ok: false, state: 'missing' });
  });

  it('outlives functions that fail: their answers are unknown', async () => {
    lambda.on(InvokeCommand).rejects(new Error('no network'));
    const status = await readStageStatus(PLACE, REGISTRY);
    expect(status).toMatchObject({ connector: null, slot: null });
  });

  it('shows alarms that are on with what to do', async () => {
    cloudWatch.on(DescribeAlarmsCommand).resolves({
      MetricAlarms: [
        {
          StateValue: 'ALARM',
          AlarmName: 'cdc-demo-dev-connector-down',
          AlarmDescription: 'See docs/runbook/connector-down.md',
          StateReason: 'Threshold crossed',
          StateUpdatedTimestamp: new Date('2026-11-23T10:00:00Z'),
        },
        { AlarmName: 'cdc-demo-dev-msk-disk', StateValue: 'OK' },
      ],
    });
    const status = await readStageStatus(PLACE, REGISTRY);
    expect(status.alarms).toHaveLength(1);
    expect(describeStatus(status)).toMatch(
      /ALARM cdc-demo-dev-connector-down.* since 2026-11-23 10:00:00: Threshold crossed\n {2}See docs\/runbook/,
    );
  });

  it('asks to deploy where there is no stack', async () => {
    cloudFormation.on(DescribeStacksCommand).rejects(new Error('Stack with id cdc-demo-dev does not exist'));
    await expect(readStageStatus(PLACE, REGISTRY)).rejects.toThrow(
      'There is no stack cdc-demo-dev in us-east-1 of account 1. Deploy it with `npx sls deploy --stage dev`',
    );
  });
});
