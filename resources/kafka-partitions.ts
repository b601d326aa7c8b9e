import type { TopicPlan } from '../functions/cdc/connector-config.ts';

/**
 * Partitions that a broker may hold, replicas included; a cluster above it refuses updates
 * (https://docs.aws.amazon.com/msk/latest/developerguide/bestpractices.html#partitions-per-broker).
 */
const PARTITION_LIMITS: Readonly<Record<string, number>> = {
  'kafka.t3.small': 300,
  'kafka.m5.large': 1000,
  'kafka.m5.xlarge': 1000,
  'kafka.m5.2xlarge': 2000,
  'kafka.m5.4xlarge': 4000,
  'kafka.m7g.large': 1000,
  'kafka.m7g.xlarge': 1000,
  'kafka.m7g.2xlarge': 2000,
  'kafka.m7g.4xlarge': 4000,
};

/**
 * Topics that Kafka Connect makes for itself, with their partitions. One each, as one connector with one task writes
 * little; Connect's own choice would be 25 for offsets and 5 for status.
 */
export const CONNECT_TOPICS = {
  config: { name: '_connect_configs', partitions: 1 },
  offset: { name: '_connect_offsets', partitions: 1 },
  status: { name: '_connect_status', partitions: 1 },
} as const;

/** `__consumer_offsets`; MSK doesn't let it be set (`offsets.topic.num.partitions`). */
const CONSUMER_OFFSETS_PARTITIONS = 50;

/** MSK watches its clusters through `__amazon_msk_canary` and its state: one partition a broker each, at most. */
const CANARY_TOPICS = 2;

/** What decides how many partitions a broker holds. */
export type BrokerPlan = { type: string; count: number; replicationFactor: number };

/**
 * Partitions of one broker, replicas included and rounded up: the topics of the connector, Connect's and Kafka's own.
 * No transactions are used, so that `__transaction_state` is never made.
 */
export function partitionsOfBroker(
  topics: readonly TopicPlan[],
  { count, replicationFactor }: Pick<BrokerPlan, 'count' | 'replicationFactor'>,
): number {
  const captured = sum(topics.map(({ partitions }) => partitions));
  const connect = sum(Object.values(CONNECT_TOPICS).map(({ partitions }) => partitions));
  const all = captured + connect + CONSUMER_OFFSETS_PARTITIONS + CANARY_TOPICS * count;
  return Math.ceil((all * replicationFactor) / count);
}

/** Undefined for a broker type that is not in the list above. */
export function partitionLimit(brokerType: string): number | undefined {
  return PARTITION_LIMITS[brokerType];
}

/** The types that are in the list. */
export function knownBrokerTypes(): string[] {
  return Object.keys(PARTITION_LIMITS);
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
