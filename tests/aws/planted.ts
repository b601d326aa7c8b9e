import type { Properties, Resource, Template } from './template.ts';

/** A mistake that somebody could make, put into a template that is sound. */
export type Planted = {
  /** The rule that catches it. */
  rule: string;
  mistake: string;
  /** The packaged deployment that it is planted in; dev when left out. */
  variant?: string;
  /** Makes the mistake; gives the logical id under which it is to be found. */
  plant: (template: Template) => string;
};

/** A mistake in the properties of the first resource of a type. */
function inFirst(
  rule: string,
  mistake: string,
  type: string,
  change: (properties: Properties) => void,
): Planted {
  return {
    rule,
    mistake,
    plant: (template) => {
      const [id, resource] = first(template, type);
      change(resource.Properties ?? {});
      return id;
    },
  };
}

function first(template: Template, type: string): [string, Resource] {
  const found = Object.entries(template.Resources).find(([, resource]) => resource.Type === type);
  if (!found) throw new Error(`The template has no ${type} to plant a mistake in`);
  return found;
}

/** A statement in the first policy of a role. */
function inRole(
  rule: string,
  mistake: string,
  role: string,
  change: (statements: Properties[]) => void,
): Planted {
  return {
    rule,
    mistake,
    plant: (template) => {
      change(template.Resources[role]?.Properties?.['Policies'][0].PolicyDocument.Statement);
      return role;
    },
  };
}

const CLUSTER = 'AWS::MSK::Cluster';
const TOPIC = 'AWS::MSK::Topic';
const JOB = 'AWS::Glue::Job';
const PIPE = 'AWS::Pipes::Pipe';
const STREAM = 'AWS::KinesisFirehose::DeliveryStream';
const LAMBDA = 'AWS::Lambda::Function';
const SCHEDULE = 'AWS::Scheduler::Schedule';
const ALARM = 'AWS::CloudWatch::Alarm';

const kafka: Planted[] = [
  inFirst('msk-broker-type', 'a broker that does not exist', CLUSTER, (cluster) => {
    cluster['BrokerNodeGroupInfo'].InstanceType = 'kafka.t9.huge';
  }),
  inFirst('msk-broker-type', 'a t3.small under KRaft', CLUSTER, (cluster) => {
    cluster['KafkaVersion'] = '3.9.x.kraft';
  }),
  inFirst('msk-broker-type', 'a version that does not exist', CLUSTER, (cluster) => {
    cluster['KafkaVersion'] = '9.9.9';
  }),
  inFirst('msk-brokers-subnets', 'three brokers in two subnets', CLUSTER, (cluster) => {
    cluster['NumberOfBrokerNodes'] = 3;
  }),
  inFirst('msk-brokers-subnets', 'one subnet twice', CLUSTER, (cluster) => {
    const { ClientSubnets: subnets } = cluster['BrokerNodeGroupInfo'];
    subnets[1] = subnets[0];
  }),
  ...[
    ['brokers in the zone that MSK lacks', { AvailabilityZoneId: 'use1-az3' }],
    ['brokers in zones by their names', { AvailabilityZone: 'us-east-1a', AvailabilityZoneId: undefined }],
  ].map(
    ([mistake, zone]): Planted => ({
      rule: 'msk-zones',
      mistake: String(mistake),
      plant: (template) => {
        Object.assign(template.Resources['PrivateSubnetA']?.Properties ?? {}, zone);
        return first(template, CLUSTER)[0];
      },
    }),
  ),
  inFirst('msk-replication', 'more replicas than brokers', TOPIC, (topic) => {
    topic['ReplicationFactor'] = 3;
  }),
  inFirst('msk-replication', 'a write that needs every replica', TOPIC, (topic) => {
    topic['Configs'] = Buffer.from('min.insync.replicas=2\nretention.ms=604800000').toString('base64');
  }),
  inFirst('msk-topic-settings', 'a retention of a day', TOPIC, (topic) => {
    topic['Configs'] = Buffer.from('retention.ms=86400000').toString('base64');
  }),
  inFirst('msk-topic-settings', 'another cap on a message’s size', TOPIC, (topic) => {
    topic['Configs'] = Buffer.from('retention.ms=604800000\nmax.message.bytes=1000000').toString('base64');
  }),
  {
    rule: 'msk-partitions',
    mistake: 'more partitions than the brokers hold',
    plant: (template) => {
      const [, topic] = first(template, TOPIC);
      Object.assign(topic.Properties ?? {}, { PartitionCount: 300 });
      return first(template, CLUSTER)[0];
    },
  },
];

const glue: Planted[] = [
  ['GlueVersion 5.0', { GlueVersion: '5.0' }],
  ['a worker type that does not exist', { WorkerType: 'G.3X' }],
  ['a worker type for streaming', { WorkerType: 'G.025X' }],
  ['one worker', { NumberOfWorkers: 1 }],
  ['MaxCapacity beside WorkerType', { MaxCapacity: 2 }],
  ['FLEX on large workers', { ExecutionClass: 'FLEX', WorkerType: 'G.4X' }],
  ['no timeout', { Timeout: undefined }],
  ['two runs at once', { ExecutionProperty: { MaxConcurrentRuns: 2 } }],
  ['queued runs', { JobRunQueuingEnabled: true }],
  ['retries of its own', { MaxRetries: 1 }],
  ['no Iceberg', { DefaultArguments: {} }],
  [
    'a Python shell',
    { Command: { Name: 'pythonshell', PythonVersion: '3.9', ScriptLocation: 's3://x/y.py' } },
  ],
].map(([mistake, properties]) =>
  inFirst('glue-job', String(mistake), JOB, (job) => {
    Object.assign(job, properties);
  }),
);

const glueLogs: Planted[] = [
  inFirst('glue-logs', 'log groups of another name than the one that Glue writes under', JOB, (job) => {
    job['DefaultArguments']['--custom-logGroup-prefix'] = '/glue';
  }),
  {
    rule: 'glue-logs',
    mistake: 'log groups without the names of security configuration and role',
    plant: (template) => {
      for (const kind of ['Output', 'Error']) {
        const group = template.Resources[`Glue${kind}LogGroup`]?.Properties ?? {};
        group['LogGroupName'] = `/cdc-demo-dev/glue/${kind.toLowerCase()}`;
      }
      return first(template, JOB)[0];
    },
  },
];

const pipes: Planted[] = [
  inFirst('pipe', 'a batch that Firehose refuses', PIPE, (pipe) => {
    pipe['SourceParameters'].ManagedStreamingKafkaParameters.BatchSize = 501;
  }),
  inFirst('pipe', 'a start at the newest record', PIPE, (pipe) => {
    pipe['SourceParameters'].ManagedStreamingKafkaParameters.StartingPosition = 'LATEST';
  }),
  inFirst('pipe', 'a consumer group without a name', PIPE, (pipe) => {
    delete pipe['SourceParameters'].ManagedStreamingKafkaParameters.ConsumerGroupID;
  }),
  inFirst('pipe', 'a topic that nobody declares', PIPE, (pipe) => {
    pipe['SourceParameters'].ManagedStreamingKafkaParameters.TopicName = 'cdc.public.nobody';
  }),
  {
    rule: 'pipe',
    mistake: 'a pipe that does not wait for its topic',
    plant: (template) => {
      const [id, pipe] = first(template, PIPE);
      delete pipe.DependsOn;
      return id;
    },
  },
  inFirst('delivery-stream', 'packs without line ends', STREAM, (stream) => {
    delete stream['ExtendedS3DestinationConfiguration'].ProcessingConfiguration;
  }),
  inFirst('delivery-stream', 'files that are not compressed', STREAM, (stream) => {
    stream['ExtendedS3DestinationConfiguration'].CompressionFormat = 'UNCOMPRESSED';
  }),
  inFirst('delivery-stream', 'a prefix that bronze does not list', STREAM, (stream) => {
    stream['ExtendedS3DestinationConfiguration'].Prefix = 'landing/public.users/!{timestamp:yyyy-MM-dd}/';
  }),
];

/** A mistake in a state of the medallion. */
function inState(rule: string, mistake: string, state: string, change: (state: Properties) => void): Planted {
  return {
    rule,
    mistake,
    plant: ({ Resources: { MedallionStateMachine: machine } }) => {
      change(machine?.Properties?.['Definition'].States[state]);
      return 'MedallionStateMachine';
    },
  };
}

const machines: Planted[] = [
  inState('state-machine', 'a way to a state that does not exist', 'Silver', (state) => {
    state['Next'] = 'Golden';
  }),
  inState('state-machine', 'a misspelt integration', 'Silver', (state) => {
    state['Resource'] = 'arn:aws:states:::glue:startJobRun.snyc';
  }),
  inState('state-machine', 'a job without a name', 'Silver', (state) => {
    delete state['Parameters'].JobName;
  }),
  inState('state-machine', 'a ResultPath that osls stripped', 'Silver', (state) => {
    delete state['ResultPath'];
  }),
  inState('state-machine', 'a backoff that shrinks', 'Silver', (state) => {
    state['Retry'][0].BackoffRate = 0.5;
  }),
  inState('state-machine', 'a task that never times out', 'Silver', (state) => {
    delete state['TimeoutSeconds'];
  }),
  inFirst('substitutions', 'a name that nobody gives', 'AWS::StepFunctions::StateMachine', (machine) => {
    delete machine['DefinitionSubstitutions'].AlertTopicArn;
  }),
  inFirst('substitutions', 'a name that nobody uses', 'AWS::StepFunctions::StateMachine', (machine) => {
    machine['DefinitionSubstitutions'].LogTopicArn = 'arn';
  }),
  inFirst(
    'state-machine-log',
    'a machine that logs errors alone',
    'AWS::StepFunctions::StateMachine',
    (machine) => {
      machine['LoggingConfiguration'].Level = 'ERROR';
    },
  ),
];

const functions: Planted[] = [
  inFirst('function-environment-size', 'an environment above 4 KB', LAMBDA, (lambda) => {
    lambda['Environment'].Variables.LONG = 'x'.repeat(4096);
  }),
  inFirst('plaintext-secret', 'a password in the environment', LAMBDA, (lambda) => {
    lambda['Environment'].Variables.SOURCE_PASSWORD = 'correct horse';
  }),
  inFirst('plaintext-secret', 'a secret resolved into the environment', LAMBDA, (lambda) => {
    lambda['Environment'].Variables.SOURCE = '{{resolve:secretsmanager:a:SecretString:password}}';
  }),
  inFirst('dynamic-reference', 'a parameter that must exist before the stack', LAMBDA, (lambda) => {
    lambda['Environment'].Variables.CLUSTER = '{{resolve:ssm:/cdc/cluster}}';
  }),
  {
    rule: 'function-vpc',
    mistake: 'the connector’s function outside of the VPC',
    plant: (template) => {
      delete template.Resources['ConnectorLambdaFunction']?.Properties?.['VpcConfig'];
      return 'ConnectorLambdaFunction';
    },
  },
  {
    rule: 'function-role',
    mistake: 'two functions with one role',
    plant: (template) => {
      const { GateLambdaFunction: gate, EnrichLambdaFunction: enrich } = template.Resources;
      Object.assign(gate?.Properties ?? {}, { Role: enrich?.Properties?.['Role'] });
      return 'GateLambdaFunction';
    },
  },
  {
    rule: 'function-logs',
    mistake: 'a function whose log group Lambda makes',
    plant: (template) => {
      delete template.Resources['GateLogGroup'];
      return 'GateLambdaFunction';
    },
  },
  inFirst('log-group', 'lines that are kept for ever', 'AWS::Logs::LogGroup', (group) => {
    delete group['RetentionInDays'];
  }),
];

const network: Planted[] = [
  inFirst('ingress', 'a way in for everybody', 'AWS::EC2::SecurityGroup', (group) => {
    group['SecurityGroupIngress'] = [
      { IpProtocol: 'tcp', FromPort: 5432, ToPort: 5432, CidrIp: '0.0.0.0/0' },
    ];
  }),
  inFirst('ingress', 'every port', 'AWS::EC2::SecurityGroupIngress', (entry) => {
    entry['IpProtocol'] = '-1';
  }),
  inFirst('public-subnet', 'a broker in the public subnet', CLUSTER, (cluster) => {
    cluster['BrokerNodeGroupInfo'].ClientSubnets[0] = { Ref: 'PublicSubnet' };
  }),
  inFirst('public-address', 'a public database', 'AWS::RDS::DBInstance', (database) => {
    database['PubliclyAccessible'] = true;
  }),
  inFirst('public-address', 'public brokers', CLUSTER, (cluster) => {
    cluster['BrokerNodeGroupInfo'].ConnectivityInfo = { PublicAccess: { Type: 'SERVICE_PROVIDED_EIPS' } };
  }),
];

const references: Planted[] = [
  inFirst('reference-kind', 'a bucket’s name where its ARN is due', STREAM, (stream) => {
    stream['ExtendedS3DestinationConfiguration'].BucketARN = { Ref: 'LandingBucket' };
  }),
  inFirst('reference-kind', 'a queue’s address where its ARN is due', SCHEDULE, (schedule) => {
    schedule['Target'].DeadLetterConfig.Arn = { Ref: 'ScheduleDeadLetters' };
  }),
  inFirst('reference-kind', 'a log group’s ARN where its name is due', STREAM, (stream) => {
    stream['ExtendedS3DestinationConfiguration'].CloudWatchLoggingOptions.LogGroupName = {
      'Fn::GetAtt': ['StreamLogGroup', 'Arn'],
    };
  }),
  inFirst('left-over-substitution', 'a pseudo parameter outside of Fn::Sub', LAMBDA, (lambda) => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's placeholder
    lambda['Environment'].Variables.BUCKET = 'landing-${AWS::AccountId}';
  }),
];

const schedules: Planted[] = [
  'every hour',
  'rate(1 hours)',
  'rate(0 minutes)',
  'rate(15 minute)',
  'cron(0 3 * * *)',
  'cron(0 3 * * * *)',
  'cron(60 3 * * ? *)',
  'cron(0 3 ? * FRY *)',
].map((expression) =>
  inFirst('schedule', expression, SCHEDULE, (schedule) => {
    schedule['ScheduleExpression'] = expression;
  }),
);

const rotations: Planted[] = [
  inFirst(
    'rotation-window',
    'a rotation that may come at night',
    'AWS::SecretsManager::RotationSchedule',
    (schedule) => {
      delete schedule['RotationRules'].Duration;
    },
  ),
];

const notices: Planted[] = [
  inFirst('sns-protocol', 'a protocol that SNS does not have', 'AWS::SNS::Subscription', (subscription) => {
    subscription['Protocol'] = 'mail';
  }),
  inFirst('budget', 'a time unit that budgets do not have', 'AWS::Budgets::Budget', ({ Budget: budget }) => {
    budget.TimeUnit = 'MONTH';
  }),
  inFirst('alarm', 'an alarm that tells nobody', ALARM, (alarm) => {
    delete alarm['AlarmActions'];
  }),
  inFirst('alarm', 'an alarm that does not say what to do', ALARM, (alarm) => {
    alarm['AlarmDescription'] = 'Lag';
  }),
];

const kept: Planted[] = [
  {
    rule: 'kept',
    mistake: 'a landing zone that goes with the stack',
    plant: ({ Resources: { LandingBucket: bucket } }) => {
      delete bucket?.DeletionPolicy;
      return 'LandingBucket';
    },
  },
  {
    rule: 'kept',
    mistake: 'a table that stays',
    plant: ({ Resources: { RunLockTable: table } }) => {
      Object.assign(table ?? {}, { DeletionPolicy: 'Retain' });
      return 'RunLockTable';
    },
  },
];

const order: Planted[] = [
  {
    rule: 'order',
    mistake: 'a table that is published before it has a topic',
    plant: ({ Resources: { SourcePreparation: source } }) => {
      const before = [source?.DependsOn ?? []].flat();
      Object.assign(source ?? {}, { DependsOn: before.filter((id) => id !== 'TopicOrders') });
      return 'SourcePreparation';
    },
  },
  {
    rule: 'order',
    mistake: 'a cost guard that pauses half a deployment',
    plant: ({ Resources: { CostGuardStopSchedule: schedule } }) => {
      delete schedule?.DependsOn;
      return 'CostGuardStopSchedule';
    },
  },
  {
    rule: 'order',
    mistake: 'a Connect that runs while its slot is dropped, and before Kafka knows its user',
    plant: ({ Resources: { ConnectService: service } }) => {
      delete service?.DependsOn;
      return 'ConnectService';
    },
  },
  {
    rule: 'order',
    mistake: 'a source that is tidied up after its network has gone',
    plant: ({ Resources: { SourcePreparation: source } }) => {
      delete source?.DependsOn;
      return 'SourcePreparation';
    },
  },
];

const limits: Planted[] = [
  {
    rule: 'template-size',
    mistake: 'more than 500 resources',
    plant: (template) => {
      for (let index = 0; index < 500; index += 1) {
        template.Resources[`Topic${index}`] = { Type: 'AWS::SNS::Topic' };
      }
      return 'template';
    },
  },
  inRole('policy-size', 'a policy with a resource for each of many tables', 'GateRole', (statements) => {
    const resources = Array.from(
      { length: 200 },
      (_, index) => `arn:aws:s3:::landing/landing/public.table_${index}/*`,
    );
    statements.push({ Effect: 'Allow', Action: 's3:GetObject', Resource: resources });
  }),
  inFirst('definition-size', 'a definition above 1 MB', 'AWS::StepFunctions::StateMachine', (machine) => {
    machine['Definition'].Comment = 'x'.repeat(1024 * 1024);
  }),
  inFirst('dashboard', 'a dashboard that is no JSON', 'AWS::CloudWatch::Dashboard', (dashboard) => {
    dashboard['DashboardBody'] = '{"widgets": [}';
  }),
  inFirst(
    'dashboard',
    'a widget with a metric for each of 600 tables',
    'AWS::CloudWatch::Dashboard',
    (dashboard) => {
      const metrics = Array.from({ length: 600 }, () => ['AWS/Firehose', 'IncomingRecords']);
      dashboard['DashboardBody'] = JSON.stringify({ widgets: [{ type: 'metric', properties: { metrics } }] });
    },
  ),
  inFirst('alarm-size', 'an alarm on eleven metrics', ALARM, (alarm) => {
    alarm['Metrics'] = Array.from({ length: 11 }, (_, index) => ({ Id: `m${index}`, MetricStat: {} }));
  }),
];

const names: Planted[] = [
  inFirst('name-length', 'a stream with a long name', STREAM, (stream) => {
    stream['DeliveryStreamName'] = 'cdc-demo-dev-'.padEnd(65, 'x');
  }),
  inFirst('stage-in-name', 'a name that the next stage takes as well', STREAM, (stream) => {
    stream['DeliveryStreamName'] = 'users';
  }),
  inFirst('stage-in-name', 'a bucket with a name', 'AWS::S3::Bucket', (bucket) => {
    bucket['BucketName'] = 'cdc-demo-dev-landing';
  }),
];

const grants: Planted[] = [
  inRole('iam-action-star', 'every action of a service', 'EnrichRole', (statements) => {
    statements.push({ Effect: 'Allow', Action: 's3:*', Resource: 'arn:aws:s3:::landing/landing/*' });
  }),
  inRole('iam-action-star', 'every action', 'EnrichRole', (statements) => {
    statements.push({ Effect: 'Allow', Action: '*', Resource: 'arn:aws:s3:::landing/landing/*' });
  }),
  inRole('iam-action-star', 'a misspelt action', 'EnrichRole', (statements) => {
    statements.push({ Effect: 'Allow', Action: 's3:PutObjekt', Resource: 'arn:aws:s3:::landing/landing/*' });
  }),
  inRole('iam-resource-star', 'every object of the account', 'EnrichRole', (statements) => {
    statements.push({ Effect: 'Allow', Action: 's3:PutObject', Resource: '*' });
  }),
  inRole('iam-resource-star', 'every function of the account', 'CustomResourceRole', (statements) => {
    const every = 'arn:aws:lambda:us-east-1:123456789012:function:*';
    statements.push({ Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource: every });
  }),
  inRole('iam-resource-kind', 'objects read from a bucket’s own ARN', 'GateRole', (statements) => {
    statements.push({ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::landing' });
  }),
  inRole('iam-resource-kind', 'an execution described by its machine’s ARN', 'RunLockRole', (statements) => {
    const machine = 'arn:aws:states:us-east-1:123456789012:stateMachine:cdc-demo-dev-medallion';
    statements.push({ Effect: 'Allow', Action: 'states:DescribeExecution', Resource: machine });
  }),
  inRole('iam-log-stream', 'a stream named behind its group’s Arn', 'StreamRole', (statements) => {
    const stream = { 'Fn::Sub': `\${StreamLogGroup.Arn}:log-stream:errors` };
    statements.push({ Effect: 'Allow', Action: 'logs:PutLogEvents', Resource: stream });
  }),
  inFirst('iam-managed-policy', 'a policy of AWS’s', 'AWS::IAM::Role', (role) => {
    role['ManagedPolicyArns'] = ['arn:aws:iam::aws:policy/AmazonS3FullAccess'];
  }),
  inFirst(
    'iam-open-policy',
    'a bucket with which a service may do anything',
    'AWS::S3::BucketPolicy',
    (policy) => {
      const principal = { Service: 'logs.us-east-1.amazonaws.com' };
      policy['PolicyDocument'].Statement.push({
        Effect: 'Allow',
        Principal: principal,
        Action: 's3:*',
        Resource: '*',
      });
    },
  ),
  inFirst('iam-anybody', 'a bucket that everybody reads', 'AWS::S3::BucketPolicy', (policy) => {
    policy['PolicyDocument'].Statement.push({
      Effect: 'Allow',
      Principal: '*',
      Action: 's3:GetObject',
      Resource: '*',
    });
  }),
];

const drop = (action: string) => (statements: Properties[]) => {
  for (const statement of statements) {
    statement['Action'] = [statement['Action']].flat().filter((one) => one !== action);
  }
};

const coverage: Planted[] = [
  inRole('iam-missing', 'a function that may not do what it does', 'EnrichRole', drop('s3:PutObject')),
  inRole('iam-missing', 'a missing report that looks like a refusal', 'GateRole', drop('s3:ListBucket')),
  inRole('iam-missing', 'objects that can’t be decrypted', 'GateRole', drop('kms:Decrypt')),
  inRole(
    'iam-missing',
    'a job that can’t be stopped with its task',
    'MedallionRole',
    drop('glue:BatchStopJobRun'),
  ),
  inRole('iam-missing', 'a pipe that can’t move its offsets', 'PipeRole', drop('kafka-cluster:AlterGroup')),
  inRole('iam-missing', 'a stream that can’t list its bucket', 'StreamRole', drop('s3:ListBucket')),
  inRole(
    'iam-missing',
    'a schedule that can’t start anything',
    'SchedulerRole',
    drop('states:StartExecution'),
  ),
  inRole(
    'iam-missing',
    'a container without its secrets',
    'ConnectExecutionRole',
    drop('secretsmanager:GetSecretValue'),
  ),
  inRole('iam-missing', 'a job that can’t commit', 'GlueRole', drop('glue:UpdateTable')),
  inRole(
    'iam-missing',
    'a custom resource whose function can’t be invoked',
    'CustomResourceRole',
    (statements) => {
      for (const statement of statements) {
        if ([statement['Action']].flat().includes('lambda:InvokeFunction')) {
          statement['Resource'] = 'arn:aws:lambda:us-east-1:123456789012:function:cdc-demo-dev-gate';
        }
      }
    },
  ),
  inRole('iam-unused', 'a right that no code uses', 'EnrichRole', (statements) => {
    statements.push({
      Effect: 'Allow',
      Action: 's3:DeleteObject',
      Resource: 'arn:aws:s3:::landing/landing/*',
    });
  }),
];

const policies: Planted[] = [
  {
    rule: 'service-access',
    mistake: 'a topic that alarms may not publish to',
    plant: ({ Resources: { AlertTopicPolicy: policy } }) => {
      const document = policy?.Properties?.['PolicyDocument'];
      document.Statement = document.Statement.filter(({ Sid }: Properties) => Sid !== 'Alarms');
      return 'AlertTopic';
    },
  },
  {
    rule: 'service-access',
    mistake: 'a key that alarms can’t encrypt with',
    plant: ({ Resources: { DataKey: key } }) => {
      const text = JSON.stringify(key?.Properties).replace('"cloudwatch.amazonaws.com",', '');
      Object.assign(key ?? {}, { Properties: JSON.parse(text) });
      return 'DataKey';
    },
  },
  {
    rule: 'service-access',
    mistake: 'a pipe whose log can’t be encrypted on its way',
    plant: ({ Resources: { DataKey: key } }) => {
      const policy = key?.Properties?.['KeyPolicy'];
      policy.Statement = policy.Statement.filter(({ Sid }: Properties) => Sid !== 'LogDelivery');
      return 'DataKey';
    },
  },
  {
    rule: 'service-access',
    mistake: 'a queue that the topic may not send to',
    plant: ({ Resources: { AlertQueuePolicy: policy } }) => {
      Object.assign(policy?.Properties?.['PolicyDocument'], { Statement: [] });
      return 'AlertQueue';
    },
  },
  {
    rule: 'vpc-endpoint',
    mistake: 'an API that can’t be reached without a NAT',
    variant: 'endpoints-and-existing-database',
    plant: (template) => {
      for (const [id, { Properties: properties = {} }] of Object.entries(template.Resources)) {
        if (JSON.stringify(properties['ServiceName'] ?? '').includes('secretsmanager'))
          delete template.Resources[id];
      }
      return 'ConnectorLambdaFunction';
    },
  },
];

export const planted: readonly Planted[] = [
  ...kafka,
  ...glue,
  ...glueLogs,
  ...pipes,
  ...machines,
  ...functions,
  ...network,
  ...references,
  ...schedules,
  ...rotations,
  ...notices,
  ...kept,
  ...order,
  ...limits,
  ...names,
  ...grants,
  ...coverage,
  ...policies,
];
