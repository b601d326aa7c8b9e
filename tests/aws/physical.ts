import { isIntrinsic, type Template } from './template.ts';

/** Where templates are thought to be deployed; no rule depends on which account or region it is. */
export const ACCOUNT = '123456789012';
export const REGION = 'us-east-1';

const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::Region': REGION,
  'AWS::AccountId': ACCOUNT,
  'AWS::URLSuffix': 'amazonaws.com',
  'AWS::StackName': 'stack',
  'AWS::StackId': `arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/stack/0`,
};

/** How a type is named, addressed, and what Ref gives: its name or id, or its ARN. */
type Kind = {
  /** The property that holds the physical name. */
  name: string;
  arn: (name: string) => string;
  /** What Ref gives where it is not the name. */
  ref?: 'arn' | 'url';
};

const regional = (service: string, resource: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`;

/** Types whose ARNs policies and other resources speak of. Ref's results by each type's page in the CloudFormation reference. */
const KINDS: Readonly<Record<string, Kind>> = {
  'AWS::Athena::WorkGroup': { name: 'Name', arn: (name) => regional('athena', `workgroup/${name}`) },
  'AWS::CloudWatch::Alarm': { name: 'AlarmName', arn: (name) => regional('cloudwatch', `alarm:${name}`) },
  'AWS::DynamoDB::Table': { name: 'TableName', arn: (name) => regional('dynamodb', `table/${name}`) },
  'AWS::ECS::Cluster': { name: 'ClusterName', arn: (name) => regional('ecs', `cluster/${name}`) },
  'AWS::ECS::Service': {
    name: 'ServiceName',
    arn: (name) => regional('ecs', `service/cluster/${name}`),
    ref: 'arn',
  },
  'AWS::ECS::TaskDefinition': {
    name: 'Family',
    arn: (name) => regional('ecs', `task-definition/${name}:1`),
    ref: 'arn',
  },
  'AWS::Events::Rule': { name: 'Name', arn: (name) => regional('events', `rule/${name}`) },
  'AWS::Glue::Database': { name: 'DatabaseInput.Name', arn: (name) => regional('glue', `database/${name}`) },
  'AWS::Glue::Job': { name: 'Name', arn: (name) => regional('glue', `job/${name}`) },
  'AWS::IAM::InstanceProfile': {
    name: 'InstanceProfileName',
    arn: (name) => `arn:aws:iam::${ACCOUNT}:instance-profile/${name}`,
  },
  'AWS::IAM::ManagedPolicy': {
    name: 'ManagedPolicyName',
    arn: (name) => `arn:aws:iam::${ACCOUNT}:policy/${name}`,
    ref: 'arn',
  },
  'AWS::IAM::Role': { name: 'RoleName', arn: (name) => `arn:aws:iam::${ACCOUNT}:role/${name}` },
  'AWS::KMS::Key': { name: 'KeyId', arn: (name) => regional('kms', `key/${name}`) },
  'AWS::KinesisFirehose::DeliveryStream': {
    name: 'DeliveryStreamName',
    arn: (name) => regional('firehose', `deliverystream/${name}`),
  },
  'AWS::Lambda::Function': { name: 'FunctionName', arn: (name) => regional('lambda', `function:${name}`) },
  'AWS::Logs::LogGroup': { name: 'LogGroupName', arn: (name) => regional('logs', `log-group:${name}:*`) },
  'AWS::MSK::Cluster': {
    name: 'ClusterName',
    arn: (name) => regional('kafka', `cluster/${name}/0a1b2c3d-uuid-1`),
    ref: 'arn',
  },
  'AWS::MSK::Configuration': {
    name: 'Name',
    arn: (name) => regional('kafka', `configuration/${name}/0a1b2c3d-uuid-1`),
    ref: 'arn',
  },
  'AWS::Pipes::Pipe': { name: 'Name', arn: (name) => regional('pipes', `pipe/${name}`) },
  'AWS::RDS::DBInstance': { name: 'DBInstanceIdentifier', arn: (name) => regional('rds', `db:${name}`) },
  'AWS::S3::Bucket': { name: 'BucketName', arn: (name) => `arn:aws:s3:::${name}` },
  'AWS::SNS::Topic': { name: 'TopicName', arn: (name) => regional('sns', name), ref: 'arn' },
  'AWS::SQS::Queue': { name: 'QueueName', arn: (name) => regional('sqs', name), ref: 'url' },
  'AWS::Scheduler::Schedule': {
    name: 'Name',
    arn: (name) => regional('scheduler', `schedule/default/${name}`),
  },
  'AWS::SecretsManager::Secret': {
    name: 'Name',
    // Secrets Manager adds a hyphen and six characters.
    arn: (name) => regional('secretsmanager', `secret:${name}-AbCdEf`),
    ref: 'arn',
  },
  'AWS::StepFunctions::StateMachine': {
    name: 'StateMachineName',
    arn: (name) => regional('states', `stateMachine:${name}`),
    ref: 'arn',
  },
};

/** Attributes that hold an ARN of the resource itself, besides `Arn`. */
const OWN_ARN = new Set(['Arn', 'TopicArn', 'RoleArn', 'StateMachineArn', 'DBInstanceArn', 'ServiceArn']);

/** Attributes that hold some other ARN, for types without an entry in KINDS too. */
const OTHER_ARNS: Readonly<Record<string, string>> = {
  'AWS::RDS::DBInstance.MasterUserSecret.SecretArn': regional(
    'secretsmanager',
    'secret:rds!db-0a1b2c3d-AbCdEf',
  ),
};

/**
 * The name that a resource will have. A resource without a fixed name is called by its logical id in lower case, as
 * CloudFormation's own names contain it.
 */
export function physicalName(template: Template, id: string): string {
  const resource = template.Resources[id];
  const kind = KINDS[resource?.Type ?? ''];
  const given = kind?.name
    .split('.')
    .reduce<unknown>(
      (value, part) => (value as Record<string, unknown> | undefined)?.[part],
      resource?.Properties,
    );
  return given === undefined ? `stack-${id.toLowerCase()}` : textOf(template, given);
}

/** The ARN of a resource. @throws Error for a type that this file does not know */
export function arnOf(template: Template, id: string): string {
  const type = template.Resources[id]?.Type ?? 'no resource';
  const kind = KINDS[type];
  if (!kind)
    throw new Error(`How the ARN of ${id} (${type}) looks is not written down in tests/aws/physical.ts`);
  return kind.arn(physicalName(template, id));
}

/**
 * What CloudFormation makes of a value, with names and ARNs as they will look: `Ref`, `Fn::GetAtt`, `Fn::Sub`, `Fn::Join`,
 * `Fn::Select` and `Fn::Split`; anything else, and attributes that no rule speaks of, as `<Id.Attribute>`.
 */
export function resolve(template: Template, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => resolve(template, item));
  if (typeof value !== 'object' || value === null) return value;
  if (!isIntrinsic(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, resolve(template, item)]));
  }
  const [name, argument] = Object.entries(value)[0] ?? ['', undefined];
  const resolver = INTRINSICS[name];
  return resolver ? resolver(template, argument) : `<${name}>`;
}

/** {@link resolve}, as text: objects and lists as JSON. */
export function textOf(template: Template, value: unknown): string {
  const resolved = resolve(template, value);
  return typeof resolved === 'string' ? resolved : JSON.stringify(resolved);
}

const INTRINSICS: Readonly<Record<string, (template: Template, argument: unknown) => unknown>> = {
  Ref: (template, id) => refOf(template, String(id)),
  'Fn::GetAtt': (template, argument) => {
    const [id = '', ...attribute] =
      typeof argument === 'string' ? argument.split('.') : (argument as string[]);
    return attributeOf(template, id, attribute.join('.'));
  },
  'Fn::Sub': (template, argument) => {
    const [text, given] = Array.isArray(argument)
      ? (argument as [string, Record<string, unknown>])
      : [String(argument), {}];
    return text.replace(/\$\{(!?)([^}]+)\}/g, (_, literal: string, name: string) =>
      literal ? `\${${name}}` : name in given ? textOf(template, given[name]) : namedIn(template, name),
    );
  },
  'Fn::Join': (template, argument) => {
    const [separator, parts] = argument as [string, unknown];
    const resolved = resolve(template, parts);
    return Array.isArray(resolved)
      ? resolved.map((part) => textOf(template, part)).join(separator)
      : '<Fn::Join>';
  },
  'Fn::Select': (template, argument) => {
    const [index, list] = argument as [number | string, unknown];
    const resolved = resolve(template, list);
    return Array.isArray(resolved) ? resolved[Number(index)] : '<Fn::Select>';
  },
  'Fn::Split': (template, argument) => {
    const [separator, text] = argument as [string, unknown];
    return textOf(template, text).split(separator);
  },
};

function namedIn(template: Template, name: string): string {
  const [id = '', ...attribute] = name.split('.');
  return attribute.length === 0 ? refOf(template, id) : attributeOf(template, id, attribute.join('.'));
}

function refOf(template: Template, id: string): string {
  const pseudo = PSEUDO[id];
  if (pseudo !== undefined) return pseudo;
  const kind = KINDS[template.Resources[id]?.Type ?? ''];
  if (!kind) return `<${id}>`;
  const name = physicalName(template, id);
  if (kind.ref === 'url') return `https://sqs.${REGION}.amazonaws.com/${ACCOUNT}/${name}`;
  return kind.ref === 'arn' ? kind.arn(name) : name;
}

function attributeOf(template: Template, id: string, attribute: string): string {
  const type = template.Resources[id]?.Type ?? '';
  const other = OTHER_ARNS[`${type}.${attribute}`];
  if (other !== undefined) return other;
  return OWN_ARN.has(attribute) && KINDS[type] ? arnOf(template, id) : `<${id}.${attribute}>`;
}
