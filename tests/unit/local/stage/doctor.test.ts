import {
  DescribeAddressesCommand,
  DescribeNatGatewaysCommand,
  DescribeSubnetsCommand,
  DescribeVpcsCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import { FirehoseClient, ListDeliveryStreamsCommand } from '@aws-sdk/client-firehose';
import { CreateServiceLinkedRoleCommand, IAMClient, ListRolesCommand, type Role } from '@aws-sdk/client-iam';
import { KafkaClient, ListClustersV2Command, ListKafkaVersionsCommand } from '@aws-sdk/client-kafka';
import { GetAccountSettingsCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { ListPipesCommand, PipesClient } from '@aws-sdk/client-pipes';
import { DescribeDBEngineVersionsCommand, RDSClient } from '@aws-sdk/client-rds';
import { ListServiceQuotasCommand, ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { checkQuotas } from '../../../../local/stage/doctor/quotas.ts';
import { checkServiceRoles } from '../../../../local/stage/doctor/service-roles.ts';
import { checkVersions } from '../../../../local/stage/doctor/versions.ts';

const SETTINGS = { region: 'eu-central-1' };
const DEMAND = { topics: 4, brokers: 2, natGateways: 1, deployed: false };
const ec2 = mockClient(EC2Client);
const firehose = mockClient(FirehoseClient);
const iam = mockClient(IAMClient);
const kafka = mockClient(KafkaClient);
const lambda = mockClient(LambdaClient);
const pipes = mockClient(PipesClient);
const quotas = mockClient(ServiceQuotasClient);

function quota(ServiceCode: string, ...entries: [string, string, number][]): void {
  const Quotas = entries.map(([QuotaCode, QuotaName, Value]) => ({ QuotaCode, QuotaName, Value }));
  quotas.on(ListServiceQuotasCommand, { ServiceCode }).resolves({ Quotas });
}

/** An account that has room for everything. */
beforeEach(() => {
  for (const mock of [ec2, firehose, iam, kafka, lambda, pipes, quotas]) mock.reset();
  quota('vpc', ['L-F678F1CE', 'VPCs per Region', 5], ['L-FE5A380F', 'NAT gateways per Availability Zone', 5]);
  quota('ec2', ['L-0263D0A3', 'EC2-VPC Elastic IPs', 5]);
  quota('firehose', ['L-1', 'Delivery streams', 50]);
  quota('kafka', ['L-2', 'Number of brokers per account', 90]);
  quota('pipes', ['L-3', 'Pipes per account', 1000]);
  ec2.on(DescribeVpcsCommand).resolves({ Vpcs: [{}] });
  ec2.on(DescribeAddressesCommand).resolves({ Addresses: [] });
  ec2.on(DescribeNatGatewaysCommand).resolves({ NatGateways: [] });
  firehose
    .on(ListDeliveryStreamsCommand)
    .resolves({ DeliveryStreamNames: [], HasMoreDeliveryStreams: false });
  kafka.on(ListClustersV2Command).resolves({ ClusterInfoList: [] });
  pipes.on(ListPipesCommand).resolves({ Pipes: [] });
  lambda.on(GetAccountSettingsCommand).resolves({ AccountLimit: { UnreservedConcurrentExecutions: 1000 } });
});

async function check(what: string, demand = DEMAND) {
  const checks = await checkQuotas(SETTINGS, demand);
  return checks.find((entry) => entry.what === what);
}

describe('quotas before a deployment', () => {
  it('are enough in an account with room', async () => {
    const checks = await checkQuotas(SETTINGS, DEMAND);
    expect(checks.map(({ result }) => result)).toEqual(Array(7).fill('ok'));
  });

  it('too small are requested by their code in the region', async () => {
    ec2.on(DescribeVpcsCommand).resolves({ Vpcs: [{}, {}, {}, {}, {}] });
    expect(await check('VPCs in the region')).toEqual({
      what: 'VPCs in the region',
      result: 'missing',
      found: '5 of 5 used, the stage takes 1 more',
      remedy:
        'aws service-quotas request-service-quota-increase --service-code vpc --quota-code L-F678F1CE --desired-value 6 --region eu-central-1',
    });
  });

  it('count every page of streams and the brokers of every cluster', async () => {
    firehose
      .on(ListDeliveryStreamsCommand)
      .resolvesOnce({ DeliveryStreamNames: Array(40).fill('a'), HasMoreDeliveryStreams: true })
      .resolvesOnce({ DeliveryStreamNames: Array(8).fill('b'), HasMoreDeliveryStreams: false });
    kafka.on(ListClustersV2Command).resolves({
      ClusterInfoList: [
        {
          ClusterName: 'a',
          ClusterType: 'PROVISIONED',
          Provisioned: {
            BrokerNodeGroupInfo: { ClientSubnets: [], InstanceType: '' },
            NumberOfBrokerNodes: 60,
          },
        },
        {
          ClusterName: 'b',
          ClusterType: 'PROVISIONED',
          Provisioned: {
            BrokerNodeGroupInfo: { ClientSubnets: [], InstanceType: '' },
            NumberOfBrokerNodes: 30,
          },
        },
      ],
    });
    expect(await check('Firehose streams')).toMatchObject({
      result: 'missing',
      found: '48 of 50 used, the stage takes 4 more',
    });
    expect(await check('MSK brokers')).toMatchObject({
      result: 'missing',
      found: '90 of 90 used, the stage takes 2 more',
    });
  });

  it('count gateways by zone, where the fullest decides', async () => {
    const subnets = ['a1', 'a2', 'a1', 'b1', 'a1', 'a2'];
    ec2.on(DescribeNatGatewaysCommand).resolves({ NatGateways: subnets.map((SubnetId) => ({ SubnetId })) });
    ec2.on(DescribeSubnetsCommand).resolves({
      Subnets: ['a1', 'a2', 'b1'].map((SubnetId) => ({ SubnetId, AvailabilityZone: SubnetId[0] as string })),
    });
    expect(await check('NAT gateways in a zone')).toMatchObject({
      result: 'missing',
      found: '5 of 5 used, the stage takes 1 more',
    });
  });

  it('leave out what the stage does without, and count nothing twice once it is deployed', async () => {
    ec2.on(DescribeVpcsCommand).resolves({ Vpcs: Array(5).fill({}) });
    expect(await check('Elastic IP addresses', { ...DEMAND, natGateways: 0 })).toBeUndefined();
    expect(await check('VPCs in the region', { ...DEMAND, deployed: true })).toMatchObject({ result: 'ok' });
  });

  it('see that a new account runs ten functions at once, too few for its pipes', async () => {
    lambda.on(GetAccountSettingsCommand).resolves({ AccountLimit: { UnreservedConcurrentExecutions: 10 } });
    expect(await check('Lambda functions at once')).toMatchObject({
      result: 'missing',
      remedy: expect.stringContaining('--quota-code L-B99A9384 --desired-value 1000'),
    });
  });

  it('that can not be read are said, and stop nothing', async () => {
    quotas
      .on(ListServiceQuotasCommand)
      .rejects(Object.assign(new Error('no right'), { name: 'AccessDeniedException' }));
    const checks = await checkQuotas(SETTINGS, DEMAND);
    expect(checks.filter(({ result }) => result === 'note')).toHaveLength(6);
    expect(checks.find(({ what }) => what === 'EventBridge pipes')?.found).toBe('not read: no right');
  });
});

describe('versions that the region offers', () => {
  const rds = mockClient(RDSClient);
  const wanted = { kafka: '3.9.x', postgres: '15.18' };

  beforeEach(() => {
    rds.reset();
    rds.on(DescribeDBEngineVersionsCommand).resolves({
      DBEngineVersions: [{ EngineVersion: '14.23' }, { EngineVersion: '15.18' }],
    });
    kafka.on(ListKafkaVersionsCommand).resolves({
      KafkaVersions: [
        { Version: '3.9.x', Status: 'ACTIVE' },
        { Version: '2.8.1', Status: 'DEPRECATED' },
      ],
    });
  });

  it('are found', async () => {
    const checks = await checkVersions(SETTINGS, wanted);
    expect(checks.map(({ what, result }) => [what, result])).toEqual([
      ['Kafka version', 'ok'],
      ['PostgreSQL version', 'ok'],
    ]);
  });

  it('are missed with those that could be taken instead, deprecated ones left out', async () => {
    const [old, gone] = await checkVersions(SETTINGS, { kafka: '2.8.1', postgres: '15.3' });
    expect(old).toMatchObject({
      result: 'missing',
      remedy: 'Set kafkaVersion in serverless.yml, params, to one of: 3.9.x',
    });
    expect(gone).toMatchObject({ result: 'missing', remedy: expect.stringMatching(/one of: 15\.18$/) });
  });

  it('of PostgreSQL are nobody’s business where the database is not the stack’s', async () => {
    expect(await checkVersions(SETTINGS, { ...wanted, postgres: null })).toHaveLength(1);
  });
});

describe('service-linked roles', () => {
  it('that are there are left alone', async () => {
    iam.on(ListRolesCommand).resolves({ Roles: [{ RoleName: 'AWSServiceRoleForX' } as Role] });
    expect((await checkServiceRoles(SETTINGS, true)).every(({ result }) => result === 'ok')).toBe(true);
    expect(iam.commandCalls(CreateServiceLinkedRoleCommand)).toHaveLength(0);
  });

  it('that are missing are named with the command that creates them', async () => {
    iam.on(ListRolesCommand).resolves({ Roles: [] });
    const checks = await checkServiceRoles(SETTINGS, false);
    expect(checks.map(({ what }) => what)).toEqual([
      'role of ECS',
      'role of MSK',
      'role of RDS',
      "role of MSK's autoscaling",
    ]);
    expect(checks[1]?.remedy).toContain(
      'aws iam create-service-linked-role --aws-service-name kafka.amazonaws.com',
    );
  });

  it('are created when that is asked for', async () => {
    iam.on(ListRolesCommand).resolves({ Roles: [] });
    iam.on(CreateServiceLinkedRoleCommand).resolves({});
    const checks = await checkServiceRoles(SETTINGS, true);
    expect(checks.every(({ result, found }) => result === 'ok' && found === 'created')).toBe(true);
  });
});
