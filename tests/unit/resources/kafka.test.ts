import { describe, expect, it } from '@jest/globals';
import {
  RECORD_CAP_BYTES,
  TOPIC_MAX_MESSAGE_BYTES,
  topicPlans,
} from '../../../functions/cdc/connector-config.ts';
import { kafkaPart } from '../../../resources/kafka.ts';
import { partitionLimit, partitionsOfBroker } from '../../../resources/kafka-partitions.ts';
import { topicIds, topicsPart } from '../../../resources/topics.ts';
import { deployedRegistry, registryOf, resourceOf, resourcesOfType, stageContext } from './stage-context.ts';

const deployment = { project: deployedRegistry().project, stage: 'dev' };
const deployed = topicPlans(deployment, deployedRegistry());

const STAGES = ['dev', 'staging', 'prod'];

async function brokerProperties(stage: string): Promise<Map<string, string>> {
  const part = await kafkaPart(stageContext(stage));
  const text = resourceOf(part, 'KafkaConfiguration').Properties['ServerProperties'] as string;
  return new Map(
    text
      .trim()
      .split('\n')
      .map((line) => line.split('=') as [string, string]),
  );
}

describe('Kafka', () => {
  it.each([
    ['dev', { type: 'kafka.t3.small', version: '3.9.x', brokers: 2, replicas: '2', minInSync: '1' }],
    [
      'staging',
      { type: 'kafka.m7g.large', version: '3.9.x.kraft', brokers: 3, replicas: '3', minInSync: '2' },
    ],
    ['prod', { type: 'kafka.m7g.large', version: '3.9.x.kraft', brokers: 3, replicas: '3', minInSync: '2' }],
  ])('of %s is %j', async (stage, { type, version, brokers, replicas, minInSync }) => {
    const { Properties } = resourceOf(await kafkaPart(stageContext(stage)), 'KafkaCluster');
    expect(Properties).toMatchObject({
      KafkaVersion: version,
      NumberOfBrokerNodes: brokers,
      BrokerNodeGroupInfo: { InstanceType: type },
    });
    const properties = await brokerProperties(stage);
    expect(properties.get('default.replication.factor')).toBe(replicas);
    expect(properties.get('min.insync.replicas')).toBe(minInSync);
  });

  it.each(STAGES)(
    'of %s takes and copies the largest record that the connector may produce',
    async (stage) => {
      const properties = await brokerProperties(stage);
      expect(Number(properties.get('message.max.bytes'))).toBe(TOPIC_MAX_MESSAGE_BYTES);
      expect(Number(properties.get('replica.fetch.max.bytes'))).toBeGreaterThanOrEqual(RECORD_CAP_BYTES);
    },
  );

  it.each(STAGES)('of %s makes no topic by itself and lets no stale broker lead', async (stage) => {
    const properties = await brokerProperties(stage);
    expect(properties.get('auto.create.topics.enable')).toBe('false');
    expect(properties.get('unclean.leader.election.enable')).toBe('false');
  });

  it('speaks TLS only, to users it knows', async () => {
    const { Properties } = resourceOf(await kafkaPart(stageContext('dev')), 'KafkaCluster');
    expect(Properties).toMatchObject({
      ClientAuthentication: {
        Sasl: { Iam: { Enabled: true }, Scram: { Enabled: true } },
        Unauthenticated: { Enabled: false },
      },
      EncryptionInfo: { EncryptionInTransit: { ClientBroker: 'TLS', InCluster: true } },
    });
  });

  it.each([
    [{ brokerType: 'kafka.t9.huge' }, /brokerType=kafka.t9.huge must be one of kafka.t3.small/],
    [{ kafkaVersion: '3.9.x.kraft' }, /runs without KRaft only; take kafkaVersion=3.9.x\./],
    [{ brokers: '3' }, /brokers=3 must be a multiple of availabilityZones=2/],
    [{ minInSyncReplicas: '2' }, /nothing can be written while a broker restarts/],
    [{ replicationFactor: '3' }, /at most brokers=2/],
  ])('refuses %j before CloudFormation does', async (parameters, message) => {
    await expect(kafkaPart(stageContext('dev', parameters as Record<string, string>))).rejects.toThrow(
      message,
    );
  });
});

describe('partitions of a broker', () => {
  it('are counted with replicas, Connect’s, Kafka’s and MSK’s own topics', () => {
    // 3 tables, transaction, signal, heartbeat, notification; 3 of Connect; 50 of consumer offsets; 2 canaries on 2 brokers.
    expect(partitionsOfBroker(deployed, { count: 2, replicationFactor: 2 })).toBe(7 + 3 + 50 + 4);
    expect(partitionsOfBroker(deployed, { count: 4, replicationFactor: 2 })).toBe(68 / 2);
  });

  it.each(STAGES)('stay below the limit in %s with 60 tables', async (stage) => {
    const { param } = stageContext(stage);
    const count = Number(await param('brokers'));
    const replicationFactor = Number(await param('replicationFactor'));
    const partitions = partitionsOfBroker(topicPlans(deployment, registryOf(60)), {
      count,
      replicationFactor,
    });
    expect(partitions).toBeLessThan((partitionLimit(await param('brokerType')) ?? 0) / 2);
  });

  it('are refused beyond it, in words that say what to do', async () => {
    await expect(kafkaPart(stageContext('dev', {}, registryOf(250)))).rejects.toThrow(
      /250 tables ask for 311 partitions a broker, and kafka.t3.small holds 300; take larger brokers/,
    );
  });
});

describe('topics', () => {
  it('are those that the connector writes, with the settings it counts on', async () => {
    const part = await topicsPart(stageContext('dev'));
    const made = resourcesOfType(part, 'AWS::MSK::Topic').map(({ Properties }) => ({
      topic: Properties['TopicName'],
      partitions: Properties['PartitionCount'],
      config: Object.fromEntries(
        Buffer.from(Properties['Configs'] as string, 'base64')
          .toString('utf8')
          .split('\n')
          .map((line) => line.split('=')),
      ),
    }));
    expect(made).toEqual(deployed);
  });

  it('are named for their tables', () => {
    expect(topicIds({ registry: deployedRegistry(), stage: 'dev' })).toEqual([
      'TopicUsers',
      'TopicProducts',
      'TopicOrders',
      'TopicDebeziumTransaction',
      'TopicDebeziumSignal',
      'TopicDebeziumHeartbeat',
      'TopicDebeziumNotification',
    ]);
  });

  it.each(STAGES)('of %s have a replica on as many brokers as it says', async (stage) => {
    const context = stageContext(stage);
    const replicas = Number(await context.param('replicationFactor'));
    for (const { Properties } of resourcesOfType(await topicsPart(context), 'AWS::MSK::Topic')) {
      expect(Properties['ReplicationFactor']).toBe(replicas);
    }
  });
});
