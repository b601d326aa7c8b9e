import { CONNECT_TOPICS, knownBrokerTypes, partitionLimit } from '../../../resources/kafka-partitions.ts';
import { textOf } from '../physical.ts';
import { ofType, type Properties, type Rule, rule, ruleFor, type Template } from '../template.ts';

/** https://docs.aws.amazon.com/msk/latest/developerguide/supported-kafka-versions.html */
const ZOOKEEPER_VERSIONS = ['3.8.x', '3.9.x'];
const KRAFT_VERSIONS = ['3.8.x.kraft', '3.9.x.kraft', '4.0.x.kraft', '4.1.x.kraft'];

/** Kept by ZooKeeper alone: https://docs.aws.amazon.com/msk/latest/developerguide/broker-instance-types.html */
const WITHOUT_KRAFT = ['kafka.t3.small'];

/** `__consumer_offsets`, which MSK lets nobody set. */
const CONSUMER_OFFSETS_PARTITIONS = 50;
/** MSK's own topics have a partition a broker each: its canary and its state. */
const MSK_TOPICS = 2;

const WEEK_MS = 7 * 24 * 3600 * 1000;

export const brokerType: Rule = ruleFor('msk-broker-type', 'AWS::MSK::Cluster', (cluster) => {
  const version = String(cluster['KafkaVersion']);
  const type = String(cluster['BrokerNodeGroupInfo']?.InstanceType);
  if (![...ZOOKEEPER_VERSIONS, ...KRAFT_VERSIONS].includes(version)) {
    return [
      {
        what: `MSK has no Kafka version ${version}`,
        remedy: `take one of ${ZOOKEEPER_VERSIONS}, ${KRAFT_VERSIONS}`,
      },
    ];
  }
  if (partitionLimit(type) === undefined) {
    return [
      {
        what: `MSK has no broker ${type}`,
        remedy: `take one of ${knownBrokerTypes().join(', ')}`,
      },
    ];
  }
  return WITHOUT_KRAFT.includes(type) && KRAFT_VERSIONS.includes(version)
    ? [
        {
          what: `${type} does not run on KRaft (${version})`,
          remedy: 'take a ZooKeeper version, or a kafka.m7g broker',
        },
      ]
    : [];
});

export const brokersAndSubnets: Rule = ruleFor('msk-brokers-subnets', 'AWS::MSK::Cluster', (cluster) => {
  const brokers = Number(cluster['NumberOfBrokerNodes']);
  const subnets: unknown[] = cluster['BrokerNodeGroupInfo']?.ClientSubnets ?? [];
  const distinct = new Set(subnets.map((subnet) => JSON.stringify(subnet))).size;
  if (distinct < 2 || distinct > 3 || distinct !== subnets.length) {
    return [
      {
        what: `${subnets.length} subnets, ${distinct} of them different`,
        remedy: 'give 2 or 3 different ones',
      },
    ];
  }
  return brokers % distinct === 0
    ? []
    : [
        {
          what: `${brokers} brokers can't be spread over ${distinct} subnets`,
          remedy: 'make NumberOfBrokerNodes a multiple of the number of subnets',
        },
      ];
});

/** "Client subnets can't occupy the Availability Zone with ID use1-az3": https://docs.aws.amazon.com/msk/1.0/apireference/clusters.html */
const WITHOUT_MSK = 'use1-az3';

/** Rules read templates of us-east-1, where a zone's name means another one in each account. */
export const zones: Rule = ruleFor('msk-zones', 'AWS::MSK::Cluster', (cluster, _id, template) => {
  const subnets: Properties[] = cluster['BrokerNodeGroupInfo']?.ClientSubnets ?? [];
  return subnets.flatMap((subnet) => {
    const id = template.Resources[subnet['Ref']]?.Properties?.['AvailabilityZoneId'];
    if (id !== undefined && id !== WITHOUT_MSK) return [];
    return [
      {
        what: `${subnet['Ref']} ${id === undefined ? 'may be' : 'is'} in ${WITHOUT_MSK}, where MSK takes no subnet`,
        remedy: 'give the subnet the AvailabilityZoneId of another zone',
      },
    ];
  });
});

/** Writes go on when one broker is away, and a topic has no more replicas than there are brokers. */
export const replication: Rule = rule('msk-replication', (template) => {
  const brokers = brokersOf(template);
  return topics(template).flatMap(({ id, replicas, configs }) => {
    if (replicas > brokers) {
      return [
        { where: id, what: `${replicas} replicas on ${brokers} brokers`, remedy: 'lower ReplicationFactor' },
      ];
    }
    const insync = Number(
      configs['min.insync.replicas'] ?? serverProperty(template, 'min.insync.replicas') ?? 1,
    );
    return insync < replicas
      ? []
      : [
          {
            where: id,
            what: `min.insync.replicas ${insync} of ${replicas} replicas: no write while a broker restarts`,
            remedy: 'keep min.insync.replicas below ReplicationFactor',
          },
        ];
  });
});

/** What Firehose could not deliver is fetched again from Kafka, within a week; one size cap for every topic. */
export const topicSettings: Rule = rule('msk-topic-settings', (template) => {
  const cap = serverProperty(template, 'message.max.bytes');
  return topics(template).flatMap(({ id, configs }) => {
    const retention = Number(configs['retention.ms'] ?? 0);
    const found = [];
    if (configs['cleanup.policy'] !== 'compact' && retention !== -1 && retention < WEEK_MS) {
      found.push({
        where: id,
        what: `retention.ms is ${retention}`,
        remedy: `make it ${WEEK_MS} (7 days) or more`,
      });
    }
    if (String(configs['max.message.bytes'] ?? cap) !== String(cap)) {
      found.push({
        where: id,
        what: `max.message.bytes ${configs['max.message.bytes']} differs from the brokers' ${cap}`,
        remedy: 'take the one common cap',
      });
    }
    return found;
  });
});

export const partitions: Rule = rule('msk-partitions', (template) => {
  const [cluster] = ofType(template, 'AWS::MSK::Cluster');
  if (!cluster) return [];
  const [id, properties] = cluster;
  const type = String(properties['BrokerNodeGroupInfo']?.InstanceType);
  const brokers = brokersOf(template);
  const connect = Object.values(CONNECT_TOPICS).reduce((sum, topic) => sum + topic.partitions, 0);
  const undeclared = CONSUMER_OFFSETS_PARTITIONS + connect + MSK_TOPICS * brokers;
  const declared = topics(template).reduce((sum, topic) => sum + topic.partitions * topic.replicas, 0);
  const each = Math.ceil((declared + undeclared * Math.min(brokers, 3)) / brokers);
  const limit = partitionLimit(type) ?? 0;
  return each <= limit
    ? []
    : [
        {
          where: id,
          what: `${each} partitions with their replicas on each ${type}, which holds ${limit}`,
          remedy: 'take a larger broker, more brokers, or fewer partitions a topic',
        },
      ];
});

function brokersOf(template: Template): number {
  return Number(ofType(template, 'AWS::MSK::Cluster')[0]?.[1]['NumberOfBrokerNodes'] ?? 0);
}

function topics(template: Template) {
  return ofType(template, 'AWS::MSK::Topic').map(([id, topic]) => ({
    id,
    partitions: Number(topic['PartitionCount']),
    replicas: Number(topic['ReplicationFactor']),
    configs: configsOf(template, topic),
  }));
}

/** Configs is the base64 of Kafka's topic settings, a line each (https://docs.aws.amazon.com/msk/1.0/apireference/v1-clusters-clusterarn-topics.html). */
function configsOf(template: Template, topic: Properties): Record<string, string> {
  const { Configs: configs } = topic;
  const text = isBase64Call(configs)
    ? textOf(template, configs['Fn::Base64'])
    : Buffer.from(textOf(template, configs ?? ''), 'base64').toString('utf8');
  return Object.fromEntries(
    text.split('\n').flatMap((line) => (line.includes('=') ? [settingOf(line)] : [])),
  );
}

function settingOf(line: string): [name: string, value: string] {
  const equals = line.indexOf('=');
  return [line.slice(0, equals).trim(), line.slice(equals + 1).trim()];
}

function isBase64Call(value: unknown): value is { 'Fn::Base64': unknown } {
  return typeof value === 'object' && value !== null && 'Fn::Base64' in value;
}

function serverProperty(template: Template, name: string): string | undefined {
  const text = ofType(template, 'AWS::MSK::Configuration')
    .map(([, configuration]) => textOf(template, configuration['ServerProperties'] ?? ''))
    .join('\n');
  return text.match(new RegExp(`^\\s*${name.replaceAll('.', '\\.')}\\s*=\\s*(\\S+)`, 'm'))?.[1];
}

export const kafkaRules: Rule[] = [
  brokerType,
  brokersAndSubnets,
  zones,
  replication,
  topicSettings,
  partitions,
];
