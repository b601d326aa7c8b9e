import { TOPIC_MAX_MESSAGE_BYTES, TOPIC_RETENTION_MS } from '../functions/cdc/connector-config.ts';
import { ANSWERED_WITHIN_SECONDS } from './capture.ts';
import type { Resource, StageContext, TemplatePart } from './generated.ts';
import { att, ref } from './intrinsics.ts';
import { type BrokerPlan, knownBrokerTypes, partitionLimit, partitionsOfBroker } from './kafka-partitions.ts';
import { PackagingError } from './packaging-error.ts';
import { plansOf } from './topics.ts';

type Resources = Record<string, Resource>;

type ClusterPlan = BrokerPlan & { version: string; minInSync: number; zones: number };

/** How full the brokers' disks may get before they grow; they never shrink, and can grow every six hours. */
const STORAGE_TARGET_PERCENT = 60;

/** Kafka Connect's user, also that of the function which shows events. Pipes come by IAM. */
const SCRAM_USER = 'connect';

/**
 * The Kafka cluster of a stage: TLS only, SASL/SCRAM for Kafka Connect and the function that shows events, IAM for pipes.
 * @throws PackagingError for brokers that MSK would refuse or that can't hold the registry's topics
 */
export async function kafkaPart(context: StageContext): Promise<TemplatePart> {
  const plan = await readPlan(context);
  assertPossible(context, plan);
  return {
    Resources: { ...cluster(context.prefix, plan), ...storageScaling(), ...scramUser(context.prefix) },
  };
}

async function readPlan({ param }: StageContext): Promise<ClusterPlan> {
  return {
    version: await param('kafkaVersion'),
    type: await param('brokerType'),
    count: Number(await param('brokers')),
    replicationFactor: Number(await param('replicationFactor')),
    minInSync: Number(await param('minInSyncReplicas')),
    zones: Number(await param('availabilityZones')),
  };
}

/** What CloudFormation would find out after a quarter of an hour, and cfn-lint doesn't know. */
function assertPossible(context: StageContext, plan: ClusterPlan): void {
  const mistake = mistakeOf(plan) ?? tooManyPartitions(context, plan);
  if (mistake !== null) throw new PackagingError(`Kafka of stage ${context.stage}: ${mistake}`);
}

function mistakeOf({
  type,
  count,
  replicationFactor,
  minInSync,
  zones,
  version,
}: ClusterPlan): string | null {
  if (partitionLimit(type) === undefined) {
    return `brokerType=${type} must be one of ${knownBrokerTypes().join(', ')}.`;
  }
  if (type === 'kafka.t3.small' && version.endsWith('.kraft')) {
    return `kafka.t3.small runs without KRaft only; take kafkaVersion=${version.replace('.kraft', '')}.`;
  }
  if (!Number.isInteger(count) || count < zones || count % zones !== 0) {
    return `brokers=${count} must be a multiple of availabilityZones=${zones}.`;
  }
  if (!(minInSync >= 1 && minInSync < replicationFactor && replicationFactor <= count)) {
    return `minInSyncReplicas=${minInSync} must be below replicationFactor=${replicationFactor}, or nothing can be written while a broker restarts, and that at most brokers=${count}.`;
  }
  return null;
}

function tooManyPartitions(context: StageContext, plan: ClusterPlan): string | null {
  const partitions = partitionsOfBroker(plansOf(context), plan);
  const limit = partitionLimit(plan.type) ?? 0;
  if (partitions <= limit) return null;
  return `the registry's ${context.registry.tables.length} tables ask for ${partitions} partitions a broker, and ${plan.type} holds ${limit}; take larger brokers or more of them.`;
}

function cluster(prefix: string, plan: ClusterPlan): Resources {
  return {
    KafkaLogGroup: {
      Type: 'AWS::Logs::LogGroup',
      Properties: {
        LogGroupName: `/${prefix}/kafka`,
        RetentionInDays: `\${param:logDays}`,
        KmsKeyId: att('DataKey'),
      },
    },
    KafkaConfiguration: {
      Type: 'AWS::MSK::Configuration',
      Properties: {
        Name: prefix,
        Description: `Brokers of ${prefix}`,
        KafkaVersionsList: [plan.version],
        ServerProperties: brokerProperties(plan),
      },
    },
    KafkaCluster: {
      Type: 'AWS::MSK::Cluster',
      Properties: {
        ClusterName: prefix,
        KafkaVersion: plan.version,
        NumberOfBrokerNodes: plan.count,
        BrokerNodeGroupInfo: {
          InstanceType: plan.type,
          ClientSubnets: `\${param:privateSubnets}`,
          SecurityGroups: [att('KafkaSecurityGroup', 'GroupId')],
          StorageInfo: { EBSStorageInfo: { VolumeSize: `\${param:brokerStorageGb}` } },
        },
        ConfigurationInfo: {
          Arn: att('KafkaConfiguration'),
          Revision: att('KafkaConfiguration', 'LatestRevision.Revision'),
        },
        ClientAuthentication: {
          Sasl: { Iam: { Enabled: true }, Scram: { Enabled: true } },
          Unauthenticated: { Enabled: false },
        },
        EncryptionInfo: {
          EncryptionAtRest: { DataVolumeKMSKeyId: att('DataKey') },
          EncryptionInTransit: { ClientBroker: 'TLS', InCluster: true },
        },
        EnhancedMonitoring: `\${param:kafkaMonitoring}`,
        LoggingInfo: {
          BrokerLogs: { CloudWatchLogs: { Enabled: true, LogGroup: ref('KafkaLogGroup') } },
        },
      },
    },
    // The brokers' addresses are no attribute of the cluster.
    KafkaAddresses: {
      Type: 'Custom::KafkaAddresses',
      Properties: {
        ServiceToken: att('CustomDashresourceLambdaFunction'),
        ServiceTimeout: ANSWERED_WITHIN_SECONDS,
        Action: 'bootstrap-brokers',
        ClusterArn: att('KafkaCluster'),
        // More brokers have more addresses: asked again when their number changes.
        Brokers: `\${param:brokers}`,
      },
    },
  };
}

function brokerProperties({ replicationFactor, minInSync }: ClusterPlan): string {
  const properties = {
    'auto.create.topics.enable': false,
    'default.replication.factor': replicationFactor,
    'min.insync.replicas': minInSync,
    'offsets.topic.replication.factor': replicationFactor,
    'num.partitions': 1,
    // One cap in producer, brokers and topics; a follower that fetches less could never copy the largest record.
    'message.max.bytes': TOPIC_MAX_MESSAGE_BYTES,
    'replica.fetch.max.bytes': TOPIC_MAX_MESSAGE_BYTES,
    'log.retention.ms': TOPIC_RETENTION_MS,
    // MSK's own choice is true: a broker that missed records could become leader, and they would be gone.
    'unclean.leader.election.enable': false,
  };
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

/** Uses the service-linked role of Application Auto Scaling, which makes it itself. */
function storageScaling(): Resources {
  return {
    KafkaStorageTarget: {
      Type: 'AWS::ApplicationAutoScaling::ScalableTarget',
      Properties: {
        ServiceNamespace: 'kafka',
        ScalableDimension: 'kafka:broker-storage:VolumeSize',
        ResourceId: att('KafkaCluster'),
        MinCapacity: 1,
        MaxCapacity: `\${param:brokerStorageMaxGb}`,
      },
    },
    KafkaStoragePolicy: {
      Type: 'AWS::ApplicationAutoScaling::ScalingPolicy',
      Properties: {
        PolicyName: 'grow-broker-storage',
        PolicyType: 'TargetTrackingScaling',
        ScalingTargetId: ref('KafkaStorageTarget'),
        TargetTrackingScalingPolicyConfiguration: {
          PredefinedMetricSpecification: { PredefinedMetricType: 'KafkaBrokerStorageUtilization' },
          TargetValue: STORAGE_TARGET_PERCENT,
          DisableScaleIn: true,
        },
      },
    },
  };
}

/**
 * MSK takes a SCRAM user from a secret whose name begins with AmazonMSK_ and whose key is a customer's
 * (https://docs.aws.amazon.com/msk/latest/developerguide/msk-password-tutorial.html). Letters and digits only: the password
 * becomes part of a JAAS line, in which quotes and backslashes would need escapes, and Debezium's image allows no @.
 */
function scramUser(prefix: string): Resources {
  return {
    KafkaScramSecret: {
      Type: 'AWS::SecretsManager::Secret',
      Properties: {
        Name: `AmazonMSK_${prefix}`,
        Description: `Kafka Connect's user in Kafka`,
        KmsKeyId: att('DataKey'),
        GenerateSecretString: {
          SecretStringTemplate: JSON.stringify({ username: SCRAM_USER }),
          GenerateStringKey: 'password',
          PasswordLength: 32,
          ExcludePunctuation: true,
        },
      },
    },
    KafkaScramSecretPolicy: {
      Type: 'AWS::SecretsManager::ResourcePolicy',
      Properties: {
        SecretId: ref('KafkaScramSecret'),
        BlockPublicPolicy: true,
        ResourcePolicy: {
          Version: '2012-10-17',
          Statement: [
            {
              Sid: 'Kafka',
              Effect: 'Allow',
              Principal: { Service: 'kafka.amazonaws.com' },
              Action: 'secretsmanager:GetSecretValue',
              Resource: ref('KafkaScramSecret'),
            },
          ],
        },
      },
    },
    KafkaScramUsers: {
      Type: 'AWS::MSK::BatchScramSecret',
      DependsOn: 'KafkaScramSecretPolicy',
      Properties: { ClusterArn: att('KafkaCluster'), SecretArnList: [ref('KafkaScramSecret')] },
    },
    // The whole line: a container's secret can't be put together from parts.
    JaasSecret: {
      Type: 'AWS::SecretsManager::Secret',
      Properties: {
        Name: `${prefix}/kafka-jaas`,
        Description: `Kafka Connect's login in Kafka, as a JAAS line`,
        KmsKeyId: att('DataKey'),
        SecretString: {
          'Fn::Sub': `org.apache.kafka.common.security.scram.ScramLoginModule required username="${SCRAM_USER}" password="{{resolve:secretsmanager:\${KafkaScramSecret}:SecretString:password}}";`,
        },
      },
    },
  };
}
