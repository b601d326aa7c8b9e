/** What each type of resource uses in a month, read from its properties. Pure arithmetic. */
import { UsageError } from '../usage-error.ts';
import { timesADay } from './schedule.ts';
import { numberAt, property, resourcesOf, type Template } from './template.ts';
import { DAYS, HOURS, type PipeSettings, type TopicTraffic, type Workload } from './traffic.ts';
import { type Definition, type Passage, transitionsOf } from './transitions.ts';

/** Something that a stage uses in a month. */
export type Item = {
  /** Entry of the price table; without one there the item is not priced. */
  price: string;
  service: string;
  what: string;
  quantity: number;
  unit: string;
  /** `fixed`: whether anything changes or not; `usage`: with the changes; `schedule`: with the runs. */
  kind: 'fixed' | 'schedule' | 'usage';
};

const GB = 1e9;
const LAYER_JOBS = /^(Bronze|Silver|Gold)Job$/;
const MAINTENANCE_JOB = 'MaintenanceJob';
/** DPUs of a worker: https://docs.aws.amazon.com/glue/latest/dg/worker-types.html */
const DPUS: Readonly<Record<string, number>> = { 'G.1X': 1, 'G.2X': 2, 'G.4X': 4, 'G.8X': 8, 'R.1X': 1 };
/** https://aws.amazon.com/glue/pricing/ */
const LEAST_JOB_MINUTES = 1;

/** What quantities depend on beside a resource's own properties. */
export type Context = {
  template: Template;
  workload: Workload;
  traffic: TopicTraffic[];
  runs: number;
  /** Share of the week in which cost-guard lets the stage be at work. */
  awake: number;
};

type Properties = Readonly<Record<string, unknown>>;
type ItemsOf = (properties: Properties, id: string, context: Context) => Item[];

/** What is counted in pieces and has no price in the table as yet. */
function counted(price: string, service: string, what: string): ItemsOf {
  return () => [{ price, service, what, quantity: 1, unit: 'each', kind: 'fixed' }];
}

const FREE: ItemsOf = () => [];

/**
 * What each type of resource uses. FREE: AWS charges nothing for the thing itself. A type that is missing here is
 * reported, and a test fails on it.
 */
const TYPES: Readonly<Record<string, ItemsOf>> = {
  'AWS::MSK::Cluster': kafkaItems,
  'AWS::ECS::Service': fargateItems,
  'AWS::RDS::DBInstance': databaseItems,
  'AWS::EC2::NatGateway': natItems,
  'AWS::EC2::EIP': () => [fixed('ec2.public-ipv4', 'Amazon VPC', 'public IPv4 address', HOURS, 'hour')],
  'AWS::EC2::VPCEndpoint': endpointItems,
  'AWS::EC2::FlowLog': () => [fixed('logs.ingested', 'CloudWatch Logs', 'flow log', 1, 'each')],
  'AWS::Glue::Job': glueItems,
  'AWS::Pipes::Pipe': pipeItems,
  'AWS::KinesisFirehose::DeliveryStream': streamItems,
  'AWS::StepFunctions::StateMachine': stateMachineItems,
  'AWS::Athena::WorkGroup': athenaItems,
  'AWS::Lambda::Function': functionItems,
  'AWS::S3::Bucket': bucketItems,
  'AWS::KMS::Key': counted('kms.key', 'AWS KMS', 'customer keys, and their requests'),
  'AWS::SecretsManager::Secret': counted('secrets.secret', 'Secrets Manager', 'secrets'),
  'AWS::CloudWatch::Alarm': counted('cloudwatch.alarm', 'CloudWatch', 'alarms'),
  'AWS::CloudWatch::CompositeAlarm': counted('cloudwatch.composite-alarm', 'CloudWatch', 'composite alarms'),
  'AWS::CloudWatch::Dashboard': counted('cloudwatch.dashboard', 'CloudWatch', 'dashboards'),
  'AWS::Logs::LogGroup': counted(
    'logs.group',
    'CloudWatch Logs',
    'log groups, by what they take in and keep',
  ),
  'AWS::ServiceDiscovery::PrivateDnsNamespace': counted('route53.zone', 'Cloud Map', 'private zones'),
  'AWS::DynamoDB::Table': counted('dynamodb.on-demand', 'DynamoDB', 'run lock, by its requests'),
  'AWS::SNS::Topic': counted('sns.requests', 'Amazon SNS', 'topics, by their messages'),
  'AWS::SQS::Queue': counted('sqs.requests', 'Amazon SQS', 'queues, by their requests'),
  'AWS::Scheduler::Schedule': counted(
    'scheduler.invocations',
    'EventBridge Scheduler',
    'schedules, by their calls',
  ),
  'AWS::Budgets::Budget': counted('budgets.budget', 'AWS Budgets', 'budgets'),
  'AWS::Glue::Database': counted('glue.catalog', 'AWS Glue', 'catalog, by its objects and requests'),
  'AWS::Glue::Table': counted('glue.catalog', 'AWS Glue', 'catalog, by its objects and requests'),
  'AWS::Events::Rule': FREE,
  ...Object.fromEntries(
    [
      'AWS::ApplicationAutoScaling::ScalableTarget',
      'AWS::ApplicationAutoScaling::ScalingPolicy',
      'AWS::Athena::NamedQuery',
      'AWS::CloudFormation::WaitCondition',
      'AWS::CloudFormation::WaitConditionHandle',
      'AWS::EC2::InternetGateway',
      'AWS::EC2::Route',
      'AWS::EC2::RouteTable',
      'AWS::EC2::SecurityGroup',
      'AWS::EC2::SecurityGroupEgress',
      'AWS::EC2::SecurityGroupIngress',
      'AWS::EC2::Subnet',
      'AWS::EC2::SubnetRouteTableAssociation',
      'AWS::EC2::VPC',
      'AWS::EC2::VPCGatewayAttachment',
      'AWS::EC2::VPCPeeringConnection',
      'AWS::ECS::Cluster',
      'AWS::ECS::TaskDefinition',
      'AWS::Glue::SecurityConfiguration',
      'AWS::IAM::ManagedPolicy',
      'AWS::IAM::Policy',
      'AWS::IAM::Role',
      'AWS::KMS::Alias',
      'AWS::Lambda::EventInvokeConfig',
      'AWS::Lambda::Permission',
      'AWS::Lambda::Version',
      'AWS::Logs::LogStream',
      'AWS::Logs::MetricFilter',
      'AWS::Logs::QueryDefinition',
      'AWS::MSK::BatchScramSecret',
      'AWS::MSK::ClusterPolicy',
      'AWS::MSK::Configuration',
      'AWS::MSK::Topic',
      'AWS::RDS::DBParameterGroup',
      'AWS::RDS::DBSubnetGroup',
      'AWS::S3::BucketPolicy',
      'AWS::SNS::Subscription',
      'AWS::SNS::TopicPolicy',
      'AWS::SQS::QueuePolicy',
      'AWS::Scheduler::ScheduleGroup',
      'AWS::SecretsManager::ResourcePolicy',
      'AWS::SecretsManager::RotationSchedule',
      'AWS::SecretsManager::SecretTargetAttachment',
      'AWS::ServiceDiscovery::Service',
    ].map((type) => [type, FREE]),
  ),
};

/** What every resource of a template uses, one after the other. */
export function itemsOf(context: Context): Item[] {
  return Object.entries(context.template.Resources).flatMap(([id, { Type, Properties }]) =>
    (TYPES[Type] ?? FREE)(Properties ?? {}, id, context),
  );
}

/** Types that are neither priced, nor listed, nor free. */
export function unknownTypes(template: Template): string[] {
  const types = new Set(Object.values(template.Resources).map(({ Type }) => Type));
  return [...types].filter((type) => !(type in TYPES) && !type.startsWith('Custom::')).sort();
}

/** Times a day that a schedule starts; 0 without it. */
export function scheduledRuns(template: Template, logicalId: string): number {
  const expression = property(template.Resources[logicalId]?.Properties, 'ScheduleExpression');
  return typeof expression === 'string' ? timesADay(expression) : 0;
}

/** The pipes of a template, as traffic needs them. */
export function pipesOf(template: Template): PipeSettings[] {
  return resourcesOf(template, 'AWS::Pipes::Pipe').map(([, properties]) => pipeOf(properties));
}

function pipeOf(properties: Properties): PipeSettings {
  const source = property(properties, 'SourceParameters.ManagedStreamingKafkaParameters');
  return {
    topic: String(property(source, 'TopicName')),
    batchRecords: numberAt(source, 'BatchSize'),
    windowSeconds: numberAt(source, 'MaximumBatchingWindowInSeconds'),
  };
}

function fixed(price: string, service: string, what: string, quantity: number, unit: string): Item {
  return { price, service, what, quantity, unit, kind: 'fixed' };
}

function used(price: string, service: string, what: string, quantity: number, unit: string): Item {
  return { price, service, what, quantity, unit, kind: 'usage' };
}

function kafkaItems(properties: Properties): Item[] {
  const type = String(property(properties, 'BrokerNodeGroupInfo.InstanceType'));
  const brokers = numberAt(properties, 'NumberOfBrokerNodes');
  const gigabytes = numberAt(properties, 'BrokerNodeGroupInfo.StorageInfo.EBSStorageInfo.VolumeSize');
  return [
    fixed(`msk.${type}`, 'Amazon MSK', `broker ${type}`, brokers * HOURS, 'broker-hour'),
    fixed('msk.storage', 'Amazon MSK', 'broker storage', brokers * gigabytes, 'GB-month'),
  ];
}

function fargateItems(properties: Properties, _id: string, { template, awake }: Context): Item[] {
  const definition = String(property(properties, 'TaskDefinition.Ref'));
  const task = template.Resources[definition]?.Properties;
  const taskHours = numberAt(properties, 'DesiredCount') * HOURS * awake;
  const chip = String(property(task, 'RuntimePlatform.CpuArchitecture') ?? 'X86_64').toLowerCase();
  return [
    fixed(
      `fargate.${chip}.vcpu`,
      'AWS Fargate',
      'vCPU',
      (taskHours * numberAt(task, 'Cpu')) / 1024,
      'vCPU-hour',
    ),
    fixed(
      `fargate.${chip}.memory`,
      'AWS Fargate',
      'memory',
      (taskHours * numberAt(task, 'Memory')) / 1024,
      'GB-hour',
    ),
  ];
}

function databaseItems(properties: Properties, _id: string, { awake }: Context): Item[] {
  const zones = property(properties, 'MultiAZ') === true ? '.two-zones' : '';
  const name = String(property(properties, 'DBInstanceClass'));
  const storage = String(property(properties, 'StorageType') ?? 'gp2');
  return [
    fixed(
      `rds.${name}${zones}`,
      'Amazon RDS',
      `${name}${zones ? ' in two zones' : ''}`,
      HOURS * awake,
      'instance-hour',
    ),
    fixed(
      `rds.storage.${storage}`,
      'Amazon RDS',
      `storage ${storage}`,
      numberAt(properties, 'AllocatedStorage'),
      'GB-month',
    ),
  ];
}

/** Each record once, from Kafka to where Pipes works, as it is before compression: at most that. */
function natItems(_properties: Properties, _id: string, { traffic }: Context): Item[] {
  const gigabytes = traffic.reduce((sum, { kafkaBytes }) => sum + kafkaBytes, 0) / GB;
  return [
    fixed('nat.hour', 'NAT gateway', 'gateway', HOURS, 'hour'),
    used('nat.data', 'NAT gateway', 'data processed', gigabytes, 'GB'),
  ];
}

function endpointItems(properties: Properties, _id: string, { traffic, template }: Context): Item[] {
  if (property(properties, 'VpcEndpointType') !== 'Interface') {
    return [fixed('endpoint.gateway', 'VPC endpoints', 'gateway endpoint', HOURS, 'hour')];
  }
  const zones = (property(properties, 'SubnetIds') as readonly unknown[]).length;
  const hours = fixed(
    'endpoint.interface.hour',
    'VPC endpoints',
    'interface endpoint',
    zones * HOURS,
    'zone-hour',
  );
  const interfaces = resourcesOf(template, 'AWS::EC2::VPCEndpoint').filter(
    ([, endpoint]) => property(endpoint, 'VpcEndpointType') === 'Interface',
  );
  const gigabytes = traffic.reduce((sum, { kafkaBytes }) => sum + kafkaBytes, 0) / GB / interfaces.length;
  return [hours, used('endpoint.interface.data', 'VPC endpoints', 'data processed', gigabytes, 'GB')];
}

function glueItems(properties: Properties, id: string, { template, workload, runs }: Context): Item[] {
  const dpus =
    numberAt(properties, 'NumberOfWorkers') *
    (DPUS[String(property(properties, 'WorkerType'))] ?? Number.NaN);
  const execution = String(property(properties, 'ExecutionClass') ?? 'STANDARD').toLowerCase();
  const item = (what: string, times: number, minutes: number): Item[] => [
    {
      price: `glue.${execution}`,
      service: 'AWS Glue',
      what,
      quantity: (times * Math.max(minutes, LEAST_JOB_MINUTES) * dpus) / 60,
      unit: 'DPU-hour',
      kind: 'schedule',
    },
  ];
  if (LAYER_JOBS.test(id)) return item('bronze, silver, gold', runs, workload.jobMinutes);
  if (id !== MAINTENANCE_JOB)
    throw new UsageError(`Nobody knows how often the Glue job ${id} of the template runs.`);
  return item(
    'maintenance',
    scheduledRuns(template, 'MaintenanceSchedule') * DAYS,
    workload.maintenanceMinutes,
  );
}

function pipeItems(properties: Properties, _id: string, { traffic }: Context): Item[] {
  const { topic } = pipeOf(properties);
  const requests = traffic.find((own) => own.topic === topic)?.pipeRequests ?? 0;
  return [used('pipes.request', 'EventBridge Pipes', 'requests of 64 KB', requests, 'request')];
}

/** One stream for each pipe; their sum is what counts. */
function streamItems(_properties: Properties, _id: string, { template, traffic }: Context): Item[] {
  const streams = resourcesOf(template, 'AWS::KinesisFirehose::DeliveryStream').length;
  const gigabytes = traffic.reduce((sum, { firehoseBytes }) => sum + firehoseBytes, 0) / GB / streams;
  return [used('firehose.gb', 'Amazon Data Firehose', 'data, rounded up to 5 KB a record', gigabytes, 'GB')];
}

/** How long a loop waits for what it waits for: a database that starts, another run that ends (seconds). An assumption. */
const WAITING_SECONDS = 600;
const GLUE_TASK = /:glue:startJobRun/;
/** What a state machine goes through in a Map, by the service that it asks about each. */
const MAPPED: readonly { asks: RegExp; type: string }[] = [
  { asks: /aws-sdk:scheduler:/, type: 'AWS::Scheduler::Schedule' },
  { asks: /aws-sdk:eventbridge:/, type: 'AWS::Events::Rule' },
];

/** What starts by a schedule is counted; what is started by hand, such as a backfill, is next to nothing. */
function stateMachineItems(properties: Properties, id: string, context: Context): Item[] {
  const definition = property(properties, 'Definition') as Definition;
  const passage = { items: itemsIn(context.template), waitingSeconds: WAITING_SECONDS };
  const { runs, awake, template } = context;
  const daily = (...schedules: string[]) =>
    schedules.reduce((sum, schedule) => sum + scheduledRuns(template, schedule), 0);
  const item = (times: number, transitions: number): Item => ({
    price: 'states.transition',
    service: 'AWS Step Functions',
    what: 'state transitions',
    quantity: times * transitions,
    unit: 'transition',
    kind: 'schedule',
  });
  if (id === 'MedallionStateMachine') {
    const started = daily('MedallionSchedule') * awake * DAYS;
    const idle = transitionsOf(definition, { ...passage, avoid: isGlueTask });
    return [item(runs, transitionsOf(definition, passage)), item(Math.max(0, started - runs), idle)];
  }
  const schedules: Readonly<Record<string, string[]>> = {
    MaintenanceStateMachine: ['MaintenanceSchedule'],
    CostGuardStateMachine: ['CostGuardStopSchedule', 'CostGuardStartSchedule'],
  };
  return [item(daily(...(schedules[id] ?? [])) * DAYS, transitionsOf(definition, passage))];
}

function isGlueTask({ Resource = '' }: { Resource?: string }): boolean {
  return GLUE_TASK.test(Resource);
}

/** What else a Map may go through is about the tables: a pipe each. */
function itemsIn(template: Template): Passage['items'] {
  return (perItem) => {
    const resources = Object.values(perItem.States).map(({ Resource = '' }) => Resource);
    const mapped = MAPPED.find(({ asks }) => resources.some((resource) => asks.test(resource)));
    return resourcesOf(template, mapped?.type ?? 'AWS::Pipes::Pipe').length;
  };
}

function athenaItems(_properties: Properties, _id: string, { workload }: Context): Item[] {
  return [used('athena.scanned', 'Amazon Athena', 'data scanned', workload.athenaGigabytes / 1000, 'TB')];
}

/** Which functions run how often is known of the enrichment alone; its time is not. */
function functionItems(_properties: Properties, id: string, { traffic }: Context): Item[] {
  if (id !== 'EnrichLambdaFunction') {
    return [
      fixed(
        'lambda.requests.other',
        'AWS Lambda',
        'other functions, by their requests and GB-seconds',
        1,
        'each',
      ),
    ];
  }
  const calls = traffic.reduce((sum, { batches }) => sum + batches, 0);
  return [used('lambda.requests.enrich', 'AWS Lambda', 'enrich, and its GB-seconds', calls, 'request')];
}

function bucketItems(_properties: Properties, id: string, { traffic }: Context): Item[] {
  if (id === 'LandingBucket') {
    const gigabytes = traffic.reduce((sum, { landedBytes }) => sum + landedBytes, 0) / GB;
    return [used('s3.landing', 'Amazon S3', 'landing zone, new in a month, before gzip', gigabytes, 'GB')];
  }
  return [fixed('s3.storage', 'Amazon S3', 'lake and deployment, by what they hold', 1, 'each')];
}
