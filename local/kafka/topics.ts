import kafkajs from 'kafkajs';
import { type TopicPlan, topicPlans } from '../../functions/cdc/connector-config.ts';
import type { Deployment } from '../../functions/cdc/names.ts';
import type { Registry } from '../../functions/cdc/registry.ts';
import { withAdmin } from './broker.ts';
import { createTopics } from './new-topics.ts';

/**
 * Makes every topic that the connector writes, before the connector is put: Connect would make them with its own
 * settings. Topics that exist get today's settings; their partitions are not changed.
 * @throws Error when a topic has another number of partitions than the registry says.
 */
export async function ensureTopics(
  address: string,
  deployment: Deployment,
  registry: Pick<Registry, 'tables'>,
): Promise<void> {
  const plans = topicPlans(deployment, registry);
  await withAdmin(address, async (admin) => {
    const existing = new Set(await admin.listTopics());
    const missing = plans.filter(({ topic }) => !existing.has(topic));
    const present = plans.filter(({ topic }) => existing.has(topic));
    if (missing.length > 0) await createTopics(admin, missing.map(newTopic));
    if (present.length === 0) return;
    const { topics } = await admin.fetchTopicMetadata({ topics: present.map(({ topic }) => topic) });
    for (const { name, partitions } of topics) assertPartitions(plans, name, partitions.length);
    await admin.alterConfigs({ validateOnly: false, resources: present.map(topicSettings) });
  });
}

function newTopic({ topic, partitions, config }: TopicPlan) {
  return {
    topic,
    numPartitions: partitions,
    replicationFactor: 1,
    configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
  };
}

function topicSettings({ topic, config }: TopicPlan) {
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
  return { type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configEntries };
}

/** More partitions move keys to other partitions, so that a row's events lose their order. */
function assertPartitions(plans: readonly TopicPlan[], topic: string, actual: number): void {
  const planned = plans.find((plan) => plan.topic === topic)?.partitions;
  if (planned === actual) return;
  throw new Error(
    `The topic ${topic} has ${actual} partitions and the registry says ${planned}: changing it would reorder a row's events. Set partitions back to ${actual}, or start anew with a clean state folder.`,
  );
}
