import {
  HEARTBEAT_TABLE,
  HEARTBEAT_TOPIC,
  type TopicPlan,
  topicPlans,
} from '../functions/cdc/connector-config.ts';
import { tableIdOfTopic } from '../functions/cdc/names.ts';
import type { Resource, StageContext, TemplatePart } from './generated.ts';
import { att } from './intrinsics.ts';
import { logicalId } from './logical-id.ts';

/**
 * Every topic that the connector writes, made before it is put: Connect would make a missing one with its own settings,
 * whatever the brokers say of `auto.create.topics.enable`.
 */
export async function topicsPart(context: StageContext): Promise<TemplatePart> {
  const replicationFactor = Number(await context.param('replicationFactor'));
  const topics = topicPlans(context.registry).map((plan) => [
    topicId(plan.topic),
    topic(plan, replicationFactor),
  ]);
  return { Resources: Object.fromEntries(topics) };
}

/** Logical ids of all topics, for what must wait for them. */
export function topicIds(registry: StageContext['registry']): string[] {
  return topicPlans(registry).map(({ topic: name }) => topicId(name));
}

function topicId(name: string): string {
  const table = name === HEARTBEAT_TOPIC ? HEARTBEAT_TABLE : tableIdOfTopic(name);
  if (table === undefined) throw new Error(`The topic ${name} belongs to no table.`);
  return logicalId('Topic', table);
}

function topic({ topic: name, partitions, config }: TopicPlan, replicationFactor: number): Resource {
  const lines = Object.entries(config).map(([key, value]) => `${key}=${value}`);
  return {
    Type: 'AWS::MSK::Topic',
    // A cluster takes one change at a time.
    DependsOn: 'KafkaScramUsers',
    Properties: {
      ClusterArn: att('KafkaCluster'),
      TopicName: name,
      PartitionCount: partitions,
      ReplicationFactor: replicationFactor,
      Configs: Buffer.from(lines.join('\n')).toString('base64'),
    },
  };
}
