import { SOURCE_PASSWORD_VARIABLE } from '../functions/cdc/connector-config.ts';
import { ecrRepository } from './debezium-image.ts';
import type { Resource, StageContext, TemplatePart } from './generated.ts';
import { att, ref, sub } from './intrinsics.ts';
import { CONNECT_TOPICS } from './kafka-partitions.ts';

type Resources = Record<string, Resource>;

const REST_PORT = 8083;

/** A worker talks to Kafka as itself and through clients for its connectors, each with settings of its own. */
const KAFKA_CLIENTS = ['', 'PRODUCER_', 'CONSUMER_', 'ADMIN_'] as const;

/**
 * Kafka Connect with Debezium, one Fargate task. The worker's settings that decide correctness are those of the twin
 * (local/connect/worker.ts). Environment variables are those of Debezium's image: `CONNECT_A_B` becomes the property
 * `a.b`, and some have names of their own (https://github.com/debezium/container-images, connect-base).
 */
export async function debeziumPart(context: StageContext): Promise<TemplatePart> {
  const { prefix, param } = context;
  const image = await param('debeziumImage');
  const host = `connect.${prefix}.internal`;
  return {
    Resources: {
      ...cluster(prefix),
      ConnectLogGroup: logGroup(prefix),
      ConnectExecutionRole: executionRole(image),
      ConnectTask: task(prefix, container(image, host, await param('replicationFactor'))),
      ConnectAddress: address(),
      ConnectService: service(prefix),
    },
  };
}

function cluster(prefix: string): Resources {
  return {
    ConnectCluster: {
      Type: 'AWS::ECS::Cluster',
      Metadata: {
        checkov: {
          skip: [
            { id: 'CKV_AWS_65', comment: 'Paid by metric: the parameter containerInsights decides by stage' },
          ],
        },
      },
      Properties: {
        ClusterName: prefix,
        ClusterSettings: [{ Name: 'containerInsights', Value: `\${param:containerInsights}` }],
      },
    },
  };
}

function logGroup(prefix: string): Resource {
  return {
    Type: 'AWS::Logs::LogGroup',
    Properties: {
      LogGroupName: `/${prefix}/connect`,
      RetentionInDays: `\${param:logDays}`,
      KmsKeyId: att('DataKey'),
    },
  };
}

/**
 * What Fargate does before the container starts: pull, inject, log. The container itself has no role, for it calls no AWS
 * API: Kafka is reached by SCRAM, the source by its password.
 */
function executionRole(image: string): Resource {
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      Description: `Starts Kafka Connect's task`,
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Principal: { Service: 'ecs-tasks.amazonaws.com' }, Action: 'sts:AssumeRole' },
        ],
      },
      Policies: [
        {
          PolicyName: 'start',
          PolicyDocument: {
            Version: '2012-10-17',
            Statement: [
              allow(['logs:CreateLogStream', 'logs:PutLogEvents'], att('ConnectLogGroup')),
              allow(['secretsmanager:GetSecretValue'], [ref('JaasSecret'), ref('ReplicationSecret')]),
              allow(['kms:Decrypt'], att('DataKey')),
              ...pullFromEcr(image),
            ],
          },
        },
      ],
    },
  };
}

/** Nothing for a public registry, which asks for no login. GetAuthorizationToken takes no resource. */
function pullFromEcr(image: string): object[] {
  const ecr = ecrRepository(image);
  if (ecr === null) return [];
  const { account, region, repository } = ecr;
  return [
    allow(['ecr:GetAuthorizationToken'], '*'),
    allow(
      ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
      sub(`arn:\${AWS::Partition}:ecr:${region}:${account}:repository/${repository}`),
    ),
  ];
}

function allow(actions: string[], resource: unknown): object {
  return { Effect: 'Allow', Action: actions, Resource: resource };
}

function task(prefix: string, connect: object): Resource {
  return {
    Type: 'AWS::ECS::TaskDefinition',
    Properties: {
      Family: `${prefix}-connect`,
      RequiresCompatibilities: ['FARGATE'],
      NetworkMode: 'awsvpc',
      Cpu: `\${param:connectCpu}`,
      Memory: `\${param:connectMemory}`,
      RuntimePlatform: {
        CpuArchitecture: `\${param:connectArchitecture}`,
        OperatingSystemFamily: 'LINUX',
      },
      ExecutionRoleArn: att('ConnectExecutionRole'),
      ContainerDefinitions: [connect],
    },
  };
}

function container(image: string, host: string, replicationFactor: string): object {
  return {
    Name: 'connect',
    Image: image,
    Essential: true,
    PortMappings: [{ ContainerPort: REST_PORT, Protocol: 'tcp' }],
    Environment: Object.entries({
      ...workerSettings(host, replicationFactor),
      ...kafkaLogin(),
    }).map(([Name, Value]) => ({ Name, Value })),
    Secrets: [
      ...jaasVariables().map((Name) => ({ Name, ValueFrom: ref('JaasSecret') })),
      { Name: SOURCE_PASSWORD_VARIABLE, ValueFrom: sub(`\${ReplicationSecret}:password::`) },
    ],
    // KIP-1017: 200 once the worker has joined its group and works through its queue.
    HealthCheck: {
      Command: ['CMD-SHELL', `curl -fsS --max-time 8 http://localhost:${REST_PORT}/health || exit 1`],
      Interval: 30,
      Timeout: 10,
      Retries: 3,
      StartPeriod: 180,
    },
    // Room for the offsets of what was sent already.
    StopTimeout: 60,
    LogConfiguration: {
      LogDriver: 'awslogs',
      Options: {
        'awslogs-group': ref('ConnectLogGroup'),
        'awslogs-region': ref('AWS::Region'),
        'awslogs-stream-prefix': 'connect',
      },
    },
  };
}

function workerSettings(host: string, replicationFactor: string): Record<string, unknown> {
  const { config, offset, status } = CONNECT_TOPICS;
  return {
    BOOTSTRAP_SERVERS: att('KafkaAddresses', 'BootstrapBrokersSaslScram'),
    GROUP_ID: 'cdc-connect',
    CONFIG_STORAGE_TOPIC: config.name,
    OFFSET_STORAGE_TOPIC: offset.name,
    STATUS_STORAGE_TOPIC: status.name,
    CONNECT_CONFIG_STORAGE_REPLICATION_FACTOR: replicationFactor,
    CONNECT_OFFSET_STORAGE_REPLICATION_FACTOR: replicationFactor,
    CONNECT_STATUS_STORAGE_REPLICATION_FACTOR: replicationFactor,
    CONNECT_OFFSET_STORAGE_PARTITIONS: String(offset.partitions),
    CONNECT_STATUS_STORAGE_PARTITIONS: String(status.partitions),
    // By this name only: the image sets CONNECT_OFFSET_FLUSH_INTERVAL_MS itself, to a minute.
    OFFSET_FLUSH_INTERVAL_MS: '1000',
    // Five minutes by default, in which the connector of a task that was replaced stays unassigned.
    CONNECT_SCHEDULED_REBALANCE_MAX_DELAY_MS: '0',
    // The connector sets its own producer's batches and the cap of a record.
    CONNECT_CONNECTOR_CLIENT_CONFIG_OVERRIDE_POLICY: 'All',
    CONNECT_TOPIC_CREATION_ENABLE: 'true',
    // The connector refers to the password; neither Kafka nor the REST interface holds it.
    CONNECT_CONFIG_PROVIDERS: 'env',
    CONNECT_CONFIG_PROVIDERS_ENV_CLASS: 'org.apache.kafka.common.config.provider.EnvVarConfigProvider',
    CONNECT_CONFIG_PROVIDERS_ENV_PARAM_ALLOWLIST_PATTERN: SOURCE_PASSWORD_VARIABLE,
    CONNECT_LISTENERS: `http://0.0.0.0:${REST_PORT}`,
    // Otherwise the image takes whichever address of the task it finds last.
    ADVERTISED_HOST_NAME: host,
    HEAP_OPTS: `\${param:connectHeap}`,
  };
}

function kafkaLogin(): Record<string, string> {
  const settings = KAFKA_CLIENTS.flatMap((client) => [
    [`CONNECT_${client}SECURITY_PROTOCOL`, 'SASL_SSL'],
    [`CONNECT_${client}SASL_MECHANISM`, 'SCRAM-SHA-512'],
  ]);
  return {
    ...Object.fromEntries(settings),
    // The image prints every variable that is not in this list, and its own list lacks the admin client's.
    SENSITIVE_PROPERTIES: jaasVariables().join(','),
  };
}

function jaasVariables(): string[] {
  return KAFKA_CLIENTS.map((client) => `CONNECT_${client}SASL_JAAS_CONFIG`);
}

function address(): Resource {
  return {
    Type: 'AWS::ServiceDiscovery::Service',
    Properties: {
      Name: 'connect',
      NamespaceId: ref('DiscoveryNamespace'),
      DnsConfig: { DnsRecords: [{ Type: 'A', TTL: 10 }] },
      HealthCheckCustomConfig: { FailureThreshold: 1 },
    },
  };
}

/**
 * One worker, and never two: the old task ends before the new one starts, for the slot has one reader. A deployment whose
 * task doesn't get healthy goes back to the one before.
 */
function service(prefix: string): Resource {
  return {
    Type: 'AWS::ECS::Service',
    // It logs in as soon as it starts, to brokers that know its user by then: the source waits for the topics, and they for
    // the user. In a removal it is gone before the slot that it may read.
    DependsOn: 'SourcePreparation',
    Properties: {
      ServiceName: `${prefix}-connect`,
      Cluster: ref('ConnectCluster'),
      TaskDefinition: ref('ConnectTask'),
      LaunchType: 'FARGATE',
      PlatformVersion: '1.4.0',
      DesiredCount: 1,
      AvailabilityZoneRebalancing: 'DISABLED',
      DeploymentConfiguration: {
        MinimumHealthyPercent: 0,
        MaximumPercent: 100,
        DeploymentCircuitBreaker: { Enable: true, Rollback: true },
      },
      NetworkConfiguration: {
        AwsvpcConfiguration: {
          AssignPublicIp: 'DISABLED',
          Subnets: `\${param:privateSubnets}`,
          SecurityGroups: [att('ConnectSecurityGroup', 'GroupId')],
        },
      },
      ServiceRegistries: [{ RegistryArn: att('ConnectAddress') }],
      PropagateTags: 'SERVICE',
      EnableECSManagedTags: true,
    },
  };
}
