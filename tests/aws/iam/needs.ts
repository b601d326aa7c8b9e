import { ACCOUNT, arnOf, REGION, resolve } from '../physical.ts';
import { ofType, type Properties, type Template, valuesIn } from '../template.ts';
import type { Call } from './calls.ts';

/** Something that a role must be allowed, and why. */
export type Need = {
  /** Logical id of the role. */
  role: string;
  action: string;
  /** The ARN it is done to; left out where the code chooses it: then any resource of the right kind will do. */
  resource?: string;
  why: string;
  /** May be granted, and is not missed. */
  optional?: boolean;
};

/** The functions' calls by the names of their folders, and those of what Glue runs. */
export type CallsInCode = {
  functions: Readonly<Record<string, readonly Call[]>>;
  glue: readonly Call[];
};

/** Operations whose permission is not called after them (Service Authorization Reference). */
const PERMISSIONS: Readonly<Record<string, readonly string[]>> = {
  'lambda:Invoke': ['lambda:InvokeFunction'],
  's3:HeadBucket': ['s3:ListBucket'],
  's3:HeadObject': ['s3:GetObject'],
  's3:DeleteObjects': ['s3:DeleteObject'],
  's3:ListObjectVersions': ['s3:ListBucketVersions'],
  's3:ListObjectsV2': ['s3:ListBucket'],
  // Without it S3 answers AccessDenied (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html).
  's3:NoSuchKey': ['s3:ListBucket'],
  'sns:PublishBatch': ['sns:Publish'],
  'sqs:SendMessageBatch': ['sqs:SendMessage'],
  'sqs:DeleteMessageBatch': ['sqs:DeleteMessage'],
};

/** What an action needs besides, because everything is under one key of ours, or because a role is handed on. */
const FOLLOWING: Readonly<Record<string, { needed: readonly string[]; optional?: readonly string[] }>> = {
  's3:GetObject': { needed: ['kms:Decrypt'] },
  // Decrypt is for uploads in several parts.
  's3:PutObject': { needed: ['kms:GenerateDataKey'], optional: ['kms:Decrypt'] },
  'secretsmanager:GetSecretValue': { needed: ['kms:Decrypt'] },
  'secretsmanager:PutSecretValue': { needed: ['kms:GenerateDataKey', 'kms:Decrypt'] },
  // https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
  'sns:Publish': { needed: ['kms:GenerateDataKey', 'kms:Decrypt'] },
  'sqs:SendMessage': { needed: ['kms:GenerateDataKey', 'kms:Decrypt'] },
  'sqs:ReceiveMessage': { needed: ['kms:Decrypt'] },
  // https://docs.aws.amazon.com/scheduler/latest/UserGuide/encryption-rest.html
  'scheduler:UpdateSchedule': {
    needed: ['iam:PassRole', 'kms:DescribeKey', 'kms:Decrypt', 'kms:GenerateDataKey'],
  },
  // https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.Encryption.Keys.html
  'rds:StartDBInstance': { needed: ['kms:DescribeKey', 'kms:CreateGrant'] },
  ...Object.fromEntries(
    ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query', 'Scan'].map((operation) => [
      `dynamodb:${operation}`,
      // https://docs.aws.amazon.com/kms/latest/developerguide/services-dynamodb.html
      {
        needed: ['kms:Decrypt'],
        optional: [
          'kms:DescribeKey',
          'kms:Encrypt',
          'kms:GenerateDataKey',
          'kms:GenerateDataKeyWithoutPlaintext',
          'kms:GenerateDataKeyPair',
          'kms:GenerateDataKeyPairWithoutPlaintext',
          'kms:ReEncryptFrom',
          'kms:ReEncryptTo',
        ],
      },
    ]),
  ),
};

/** What every role of the template needs, from the code of the functions and from what the other resources do. */
export function needsOf(template: Template, calls: CallsInCode): Need[] {
  const needs = [
    ...functionNeeds(template, calls.functions),
    ...customResourceNeeds(template),
    ...glueNeeds(template, calls.glue),
    ...machineNeeds(template),
    ...pipeNeeds(template),
    ...streamNeeds(template),
    ...scheduleNeeds(template),
    ...containerNeeds(template),
    ...flowLogNeeds(template),
  ];
  return needs.flatMap((need) => [need, ...followingNeeds(need)]);
}

function followingNeeds({ role, action, why, optional = false }: Need): Need[] {
  const following = FOLLOWING[action];
  const because = `${action} (${why})`;
  return [
    ...(following?.needed ?? []).map((next) => ({ role, action: next, why: because, optional })),
    ...(following?.optional ?? []).map((next) => ({ role, action: next, why: because, optional: true })),
  ];
}

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions */
const INTERFACES = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

function functionNeeds(template: Template, calls: CallsInCode['functions']): Need[] {
  return ofType(template, 'AWS::Lambda::Function').flatMap(([id, lambda]) => {
    const role = roleOf(lambda['Role']);
    const need = (action: string, why: string): Need => ({ role, action, why });
    return [
      need('logs:CreateLogStream', `${id} logs`),
      need('logs:PutLogEvents', `${id} logs`),
      // Lambda decrypts the environment by a grant of its own; AWS lists the permission all the same.
      { ...need('kms:Decrypt', `${id}'s environment`), optional: true },
      ...(lambda['TracingConfig']?.Mode === 'Active'
        ? ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'].map((action) =>
            need(action, `${id} is traced`),
          )
        : []),
      ...(lambda['VpcConfig'] ? INTERFACES.map((action) => need(action, `${id} is in the VPC`)) : []),
      ...(calls[functionName(lambda)] ?? []).flatMap(({ operation, where }) =>
        (PERMISSIONS[operation] ?? [operation]).map((action) => need(action, where)),
      ),
    ];
  });
}

/** A custom resource with a FunctionName has that function do the work, invoked by the one that answers CloudFormation. */
function customResourceNeeds(template: Template): Need[] {
  return Object.entries(template.Resources).flatMap(([id, { Type, Properties = {} }]): Need[] => {
    const [answers, works] = [Properties['ServiceToken'], Properties['FunctionName']].map(logicalIdOf);
    if (!Type.startsWith('Custom::') || !answers || !works) return [];
    return [
      {
        role: roleOf(template.Resources[answers]?.Properties?.['Role']),
        action: 'lambda:InvokeFunction',
        resource: arnOf(template, works),
        why: `${id} has ${works} do it`,
      },
    ];
  });
}

/** Iceberg's GlueCatalog and S3FileIO: https://iceberg.apache.org/docs/latest/aws/ (tables are made and changed, never dropped). */
const ICEBERG_CATALOG = ['glue:GetDatabase', 'glue:GetTable', 'glue:CreateTable', 'glue:UpdateTable'];
const ICEBERG_FILES = ['s3:GetObject', 's3:PutObject', 's3:DeleteObject', 's3:ListBucket'];
/** https://docs.aws.amazon.com/glue/latest/dg/getting-started-min-privs-job.html and encryption-security-configuration.html */
const GLUE_RUNTIME = [
  'logs:CreateLogGroup',
  'logs:CreateLogStream',
  'logs:PutLogEvents',
  'logs:AssociateKmsKey',
];
const GLUE_OPTIONAL = [
  's3:GetBucketLocation',
  // Uploads of large files come in parts.
  's3:AbortMultipartUpload',
  'glue:GetTables',
  'kms:DescribeKey',
];

function glueNeeds(template: Template, calls: readonly Call[]): Need[] {
  const needs = (role: string, why: string, actions: readonly string[], optional = false): Need[] =>
    actions.map((action) => ({ role, action, why, optional }));
  return ofType(template, 'AWS::Glue::Job').flatMap(([id, job]) => {
    const role = roleOf(job['Role']);
    const measured = job['DefaultArguments']?.['--enable-metrics'] === 'true';
    return [
      ...calls.flatMap(({ operation, where }) => needs(role, where, PERMISSIONS[operation] ?? [operation])),
      ...needs(role, `${id} keeps Iceberg tables`, [...ICEBERG_CATALOG, ...ICEBERG_FILES]),
      ...needs(role, `${id} logs`, GLUE_RUNTIME),
      ...needs(role, `${id} is measured`, measured ? ['cloudwatch:PutMetricData'] : []),
      ...needs(role, id, GLUE_OPTIONAL, true),
    ];
  });
}

/** `functions/enrich/handler.handler` -> `enrich`. */
export function functionName({ Handler }: Properties): string {
  return String(Handler).split('/')[1] ?? '';
}

/** Permissions of optimized integrations, by the parameter that names what is called: docs/step-functions "service integrations". */
const INTEGRATIONS: Readonly<
  Record<
    string,
    {
      actions: readonly string[];
      target?: (parameters: Properties) => unknown;
      arn?: (name: string) => string;
    }
  >
> = {
  'lambda:invoke': { actions: ['lambda:InvokeFunction'], target: ({ FunctionName }) => FunctionName },
  'sns:publish': { actions: ['sns:Publish'], target: ({ TopicArn }) => TopicArn },
  'glue:startJobRun.sync': {
    actions: ['glue:StartJobRun', 'glue:GetJobRun', 'glue:GetJobRuns', 'glue:BatchStopJobRun'],
    target: ({ JobName }) => JobName,
    arn: (name) => `arn:aws:glue:${REGION}:${ACCOUNT}:job/${name}`,
  },
  'states:startExecution': {
    actions: ['states:StartExecution'],
    target: ({ StateMachineArn }) => StateMachineArn,
  },
  ...Object.fromEntries(
    ['GetItem', 'UpdateItem', 'DeleteItem'].map((operation) => [
      `dynamodb:${operation.charAt(0).toLowerCase()}${operation.slice(1)}`,
      {
        actions: [`dynamodb:${operation}`],
        target: ({ TableName }: Properties) => TableName,
        arn: (name: string) => `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${name}`,
      },
    ]),
  ),
};

/** Services that the AWS SDK integrations call otherwise than IAM. */
const SDK_SERVICES: Readonly<Record<string, string>> = {
  sfn: 'states',
  eventbridge: 'events',
  cloudwatchlogs: 'logs',
};

const LOG_DELIVERY = [
  'CreateLogDelivery',
  'GetLogDelivery',
  'UpdateLogDelivery',
  'DeleteLogDelivery',
  'ListLogDeliveries',
  'PutResourcePolicy',
  'DescribeResourcePolicies',
  'DescribeLogGroups',
];
const TRACES = ['PutTraceSegments', 'PutTelemetryRecords', 'GetSamplingRules', 'GetSamplingTargets'];

function machineNeeds(template: Template): Need[] {
  return ofType(template, 'AWS::StepFunctions::StateMachine').flatMap(([id, machine]) => {
    const role = roleOf(machine['RoleArn']);
    const need = (action: string, why: string): Need => ({ role, action, why });
    return [
      ...(machine['LoggingConfiguration']
        ? LOG_DELIVERY.map((action) =>
            need(`logs:${action}`, `${id} logs (docs/step-functions/latest/dg/cw-logs.html)`),
          )
        : []),
      ...(machine['TracingConfiguration']?.Enabled
        ? TRACES.map((action) =>
            need(`xray:${action}`, `${id} is traced (docs/step-functions/latest/dg/xray-iam.html)`),
          )
        : []),
      ...tasksOf(machine['Definition']).flatMap(({ state, resource, parameters }) =>
        integrationNeeds(template, machine, resource, parameters).map((wanted) => ({
          ...wanted,
          role,
          why: `${id}, state ${state}`,
        })),
      ),
    ];
  });
}

/** Every task of a definition, those in maps and branches included. */
function tasksOf(definition: unknown): { state: string; resource: string; parameters: Properties }[] {
  return [...valuesIn(definition)].flatMap(({ path, value }) => {
    const state = value as Properties | null;
    if (state?.['Type'] !== 'Task' || typeof state['Resource'] !== 'string') return [];
    return [
      {
        state: path.at(-1) ?? '',
        resource: state['Resource'],
        parameters: state['Parameters'] ?? state['Arguments'] ?? {},
      },
    ];
  });
}

function integrationNeeds(
  template: Template,
  machine: Properties,
  resource: string,
  parameters: Properties,
): { action: string; resource?: string }[] {
  const call = resource.replace('arn:aws:states:::', '');
  const integration = INTEGRATIONS[call];
  if (integration) {
    const target = integration.target?.(parameters);
    const named = typeof target === 'string' ? substituted(template, machine, target) : undefined;
    const arn = named === undefined ? undefined : (integration.arn?.(named) ?? named);
    return integration.actions.map((action) => ({ action, ...(arn === undefined ? {} : { resource: arn }) }));
  }
  const [, service = '', operation = ''] = call.match(/^aws-sdk:(\w+):(\w+)$/) ?? [];
  if (service === '') return [{ action: `unknown:${call}` }];
  const action = `${SDK_SERVICES[service] ?? service}:${operation.charAt(0).toUpperCase()}${operation.slice(1)}`;
  return [{ action }];
}

/** `${GateFunctionArn}` -> what DefinitionSubstitutions make of it. */
function substituted(template: Template, machine: Properties, text: string): string {
  return text.replace(/\$\{(\w+)\}/g, (_, name: string) =>
    String(resolve(template, machine['DefinitionSubstitutions']?.[name] ?? `<${name}>`)),
  );
}

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-permissions.html and eb-pipes-msk.html */
const KAFKA_SOURCE = [
  'kafka:DescribeClusterV2',
  'kafka:GetBootstrapBrokers',
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeVpcs',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeSubnets',
  'ec2:DescribeSecurityGroups',
];
const KAFKA_READ = [
  'kafka-cluster:Connect',
  'kafka-cluster:DescribeGroup',
  'kafka-cluster:AlterGroup',
  'kafka-cluster:DescribeTopic',
  'kafka-cluster:ReadData',
  'kafka-cluster:DescribeClusterDynamicConfiguration',
];

/** Named by AWS's examples, for brokers and clients that ask for more. */
const KAFKA_OPTIONAL = [
  'kafka:DescribeCluster',
  'kafka-cluster:DescribeCluster',
  'kafka-cluster:DescribeTopicDynamicConfiguration',
];

function pipeNeeds(template: Template): Need[] {
  return ofType(template, 'AWS::Pipes::Pipe').flatMap(([id, pipe]): Need[] => {
    const role = roleOf(pipe['RoleArn']);
    const target = String(resolve(template, pipe['Target']));
    return [
      ...[...KAFKA_SOURCE, ...KAFKA_READ].map((action) => ({ role, action, why: `${id} reads from Kafka` })),
      {
        role,
        action: 'lambda:InvokeFunction',
        resource: String(resolve(template, pipe['Enrichment'])),
        why: `${id} enriches`,
      },
      { role, action: 'firehose:PutRecordBatch', resource: target, why: `${id} delivers` },
      { role, action: 'firehose:PutRecord', resource: target, why: `${id} delivers`, optional: true },
      ...KAFKA_OPTIONAL.map((action) => ({ role, action, why: `${id} reads from Kafka`, optional: true })),
      // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-pipes-cmkey.html
      ...(pipe['KmsKeyIdentifier'] === undefined
        ? []
        : ['kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKey']
      ).map((action) => ({ role, action, why: `${id} is under our key` })),
    ];
  });
}

/** https://docs.aws.amazon.com/firehose/latest/dev/controlling-access.html#using-iam-s3 */
function streamNeeds(template: Template): Need[] {
  const onBucket = ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'];
  const onObjects = ['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject'];
  return ofType(template, 'AWS::KinesisFirehose::DeliveryStream').flatMap(([id, stream]): Need[] => {
    const target: Properties = stream['ExtendedS3DestinationConfiguration'] ?? {};
    const role = roleOf(target['RoleARN']);
    const bucket = String(resolve(template, target['BucketARN']));
    const prefix = String(resolve(template, target['Prefix'] ?? '')).replace(/!\{.*$/, '');
    const why = `${id} delivers to S3`;
    return [
      ...onBucket.map((action) => ({ role, action, resource: bucket, why })),
      ...onObjects.map((action) => ({ role, action, resource: `${bucket}/${prefix}x.gz`, why })),
      { role, action: 'logs:PutLogEvents', why: `${id} logs failed deliveries` },
    ];
  });
}

function scheduleNeeds(template: Template): Need[] {
  return ofType(template, 'AWS::Scheduler::Schedule').flatMap(([id, { Target = {} }]): Need[] => {
    const role = roleOf(Target.RoleArn);
    const target = String(resolve(template, Target.Arn));
    const deadLetters = Target.DeadLetterConfig?.Arn;
    const action = target.includes(':states:') ? 'states:StartExecution' : 'lambda:InvokeFunction';
    return [
      { role, action, resource: target, why: `${id} starts it` },
      ...(deadLetters === undefined
        ? []
        : [
            {
              role,
              action: 'sqs:SendMessage',
              resource: String(resolve(template, deadLetters)),
              why: `${id} gives up`,
            },
          ]),
    ];
  });
}

/** https://docs.aws.amazon.com/AmazonECR/latest/userguide/ECR_on_ECS.html */
const ECR_PULL = [
  'ecr:GetAuthorizationToken',
  'ecr:BatchCheckLayerAvailability',
  'ecr:GetDownloadUrlForLayer',
  'ecr:BatchGetImage',
];

function containerNeeds(template: Template): Need[] {
  return ofType(template, 'AWS::ECS::TaskDefinition').flatMap(([id, task]): Need[] => {
    const role = roleOf(task['ExecutionRoleArn']);
    const containers: Properties[] = task['ContainerDefinitions'] ?? [];
    const secrets = containers.flatMap(({ Secrets = [] }) => Secrets as Properties[]);
    return [
      ...secrets.map(({ Name, ValueFrom }) => ({
        role,
        action: 'secretsmanager:GetSecretValue',
        resource: String(resolve(template, ValueFrom)).split(':').slice(0, 7).join(':'),
        why: `${id} is given ${Name}`,
      })),
      ...['logs:CreateLogStream', 'logs:PutLogEvents'].map((action) => ({ role, action, why: `${id} logs` })),
      ...(containers.some(({ Image }) => /\.dkr\.ecr\./.test(String(resolve(template, Image))))
        ? ECR_PULL
        : []
      ).map((action) => ({ role, action, why: `${id} is pulled from ECR` })),
    ];
  });
}

/** https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html */
function flowLogNeeds(template: Template): Need[] {
  const writing = ['CreateLogStream', 'PutLogEvents'];
  const looking = ['DescribeLogGroups', 'DescribeLogStreams'];
  return ofType(template, 'AWS::EC2::FlowLog').flatMap(([id, flow]) => {
    const role = roleOf(flow['DeliverLogsPermissionArn']);
    return [...writing, ...looking].map((name) => ({
      role,
      action: `logs:${name}`,
      why: `${id} logs`,
      optional: looking.includes(name),
    }));
  });
}

/** The logical id behind `!GetAtt SomeRole.Arn`; the value itself where it is no such reference. */
function roleOf(value: unknown): string {
  return logicalIdOf(value) ?? JSON.stringify(value);
}

/** The logical id behind a Ref or GetAtt. */
function logicalIdOf(value: unknown): string | undefined {
  const call = value as Properties | undefined;
  const named = call?.['Ref'] ?? [call?.['Fn::GetAtt']].flat()[0];
  return typeof named === 'string' ? named.split('.')[0] : undefined;
}
