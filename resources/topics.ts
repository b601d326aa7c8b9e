import {
  HEARTBEAT_TOPIC,
  NOTIFICATION_TOPIC,
  platformTables,
  type TopicPlan,
  topicPlans,
} from '../functions/cdc/connector-config.ts';
import { type Deployment, tableIdOfTopic, topicOf } from '../functions/cdc/names.ts';
import type { Resource, StageContext, TemplatePart } from './generated.ts';
import { att } from './intrinsics.ts';
import { logicalId } from './logical-id.ts';

/**
 * Every topic that the connector writes, made before it is put: Connect would make a missing one with its own settings,
 * whatever the brokers say of `auto.create.topics.enable`.
 */
export async function topicsPart(context: StageContext): Promise<TemplatePart> {
  const replicationFactor = Number(await context.param('replicationFactor'));
  const topics = plansOf(context).map((plan) => [
    topicId(deploymentOf(context), plan.topic),
    topic(plan, replicationFactor),
  ]);
  return { Resources: Object.fromEntries(topics) };
}

/** Logical ids of all topics, for what must wait for them. */
export function topicIds(context: Capturing): string[] {
  return plansOf(context).map(({ topic: name }) => topicId(deploymentOf(context), name));
}

type Capturing = Pick<StageContext, 'registry' | 'stage'>;

/** The topics of a stage. */
export function plansOf(context: Capturing): TopicPlan[] {
  return topicPlans(deploymentOf(context), context.registry);
}

/** Whose names a stage's tables in the source have. */
export function deploymentOf({ registry, stage }: Capturing): Deployment {
  return { project: registry.project, stage };
}

function topicId(deployment: Deployment, name: string): string {
  const own: Record<string, string> = {
    [topicOf(platformTables(deployment).signal)]: 'debezium.signal',
    [HEARTBEAT_TOPIC]: 'debezium.heartbeat',
    [NOTIFICATION_TOPIC]: 'debezium.notification',
  };
  const table = own[name] ?? tableIdOfTopic(name);
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
