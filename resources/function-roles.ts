import type { Resource, StageContext, TemplatePart } from './generated.ts';

/** One thing that a function may do. `Resource` as CloudFormation takes it: texts, Ref, Fn::GetAtt, Fn::Sub. */
export type Statement = {
  Effect: 'Allow' | 'Deny';
  Action: string[];
  Resource: unknown;
  Condition?: Record<string, unknown>;
};

/** What a function needs beside its own log and its traces. */
export type FunctionAccess = {
  /** It talks to Kafka, to Connect or to the source database, which are reachable from inside the network only. */
  vpc: boolean;
  /** The calls that its code makes, and no other. */
  statements: Statement[];
};

const ACCOUNT = `\${AWS::Region}:\${AWS::AccountId}`;
/** A secret of ours or of whoever owns the database: serverless.yml's parameter, resolved by osls. */
const SOURCE_SECRET = `\${param:sourceSecretId}`;

/**
 * What each function of serverless.yml may do, by its name there. Names of resources are written out where a reference
 * would close a circle: a function's role comes before the function, and so before what refers to it.
 */
export function functionAccess(prefix: string): Record<string, FunctionAccess> {
  const landing = {
    bucket: getArn('LandingBucket'),
    under: (path: string) => sub(`\${LandingBucket.Arn}/${path}`),
  };
  const functions = (...names: string[]) => names.map((name) => arn('lambda', `function:${prefix}-${name}`));
  return {
    enrich: outside(
      allow(['s3:PutObject'], landing.under('landing/*')),
      allow(['secretsmanager:GetSecretValue'], ref('PlaceholderSecret')),
      encryption('kms:Decrypt', 'kms:GenerateDataKey'),
    ),
    preflight: inside(
      allow(['s3:GetObject'], landing.under('reports/latest/*')),
      allow(['s3:PutObject'], landing.under('reports/latest/source.json')),
      allow(['s3:ListBucket'], landing.bucket),
      // The environment says all of the source's address: nobody but `source` reads its owner's secret.
      allow(['secretsmanager:GetSecretValue'], ref('ReplicationSecret')),
      encryption('kms:Decrypt', 'kms:GenerateDataKey'),
    ),
    gate: outside(
      allow(['s3:GetObject'], landing.under('reports/*')),
      // Which failures were told.
      allow(['s3:PutObject'], landing.under('reports/latest/alerts.json')),
      // Without it a report that is missing is an AccessDenied, not a NoSuchKey.
      allow(['s3:ListBucket'], landing.bucket),
      encryption('kms:Decrypt', 'kms:GenerateDataKey'),
    ),
    'run-lock': outside(
      allow(['dynamodb:PutItem', 'dynamodb:DeleteItem'], getArn('RunLockTable')),
      allow(['glue:GetJobRuns', 'glue:BatchStopJobRun'], arn('glue', `job/${prefix}-*`)),
      allow(['states:DescribeExecution'], arn('states', `execution:${prefix}-*:*`)),
      // DynamoDB uses the table's key in the caller's name
      // (https://docs.aws.amazon.com/kms/latest/developerguide/services-dynamodb.html).
      encryption('kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*'),
    ),
    source: inside(
      allow(['secretsmanager:GetSecretValue'], [SOURCE_SECRET, ref('ReplicationSecret')]),
      encryption('kms:Decrypt'),
    ),
    connector: inside(
      allow(['secretsmanager:GetSecretValue'], [ref('ReplicationSecret'), ref('PlaceholderSecret')]),
      encryption('kms:Decrypt'),
    ),
    'custom-resource': outside(
      // Granted on a cluster it is denied: the Service Authorization Reference of MSK lists no resource for it.
      allow(['kafka:GetBootstrapBrokers'], '*'),
      allow(['lambda:InvokeFunction'], functions('source', 'connector')),
      encryption('kms:Decrypt'),
    ),
    'slot-monitor': inside(
      allow(['secretsmanager:GetSecretValue'], ref('ReplicationSecret')),
      encryption('kms:Decrypt'),
    ),
    'pipe-keeper': outside(
      allow(['pipes:ListPipes', 'cloudwatch:GetMetricData'], '*'),
      allow(['pipes:DescribePipe', 'pipes:StartPipe'], arn('pipes', `pipe/${prefix}-*`)),
      allow(['kafka:DescribeClusterV2'], getArn('KafkaCluster')),
      allow(['lambda:GetFunctionConfiguration', 'lambda:GetFunctionConcurrency'], functions('enrich')),
      allow(['firehose:DescribeDeliveryStream'], arn('firehose', `deliverystream/${prefix}-*`)),
      encryption('kms:Decrypt'),
    ),
    events: inside(
      allow(['secretsmanager:GetSecretValue'], [ref('KafkaScramSecret'), ref('PlaceholderSecret')]),
      encryption('kms:Decrypt'),
    ),
    'rotate-secret': outside(
      allow(
        [
          'secretsmanager:DescribeSecret',
          'secretsmanager:GetSecretValue',
          'secretsmanager:PutSecretValue',
          'secretsmanager:UpdateSecretVersionStage',
        ],
        ref('ReplicationSecret'),
      ),
      allow(['secretsmanager:GetRandomPassword'], '*'),
      allow(['lambda:InvokeFunction'], functions('source')),
      allow(['ecs:UpdateService'], arn('ecs', `service/${prefix}/${prefix}-connect`)),
      encryption('kms:Decrypt', 'kms:GenerateDataKey'),
    ),
  };
}

/**
 * A role of its own for each function, and what serverless.yml can't say of a function: its log is encrypted with our
 * key, and osls's DependsOn beside the reference to the role is no mistake.
 */
export function functionRoles({ prefix }: Pick<StageContext, 'prefix'>): TemplatePart {
  const access = Object.entries(functionAccess(prefix));
  return {
    Resources: Object.fromEntries(access.map(([name, needs]) => [roleId(name), role(prefix, name, needs)])),
    extensions: Object.fromEntries(
      access.flatMap(([name]) => [
        // W3005: a DependsOn that a reference makes superfluous. moto takes the setting from the resource only.
        [
          `${oslsName(name)}LambdaFunction`,
          { Metadata: { 'cfn-lint': { config: { ignore_checks: ['W3005'] } } } },
        ],
        [`${oslsName(name)}LogGroup`, { Properties: { KmsKeyId: getArn('DataKey') } }],
      ]),
    ),
  };
}

/** `run-lock` -> `RunLockRole`. */
export function roleId(name: string): string {
  return `${name.split('-').map(capitalised).join('')}Role`;
}

/** `run-lock` -> `RunDashlock`: how osls begins the logical ids of a function. */
export function oslsName(name: string): string {
  return capitalised(name.replaceAll('-', 'Dash'));
}

/** For checkov, which takes the calls of networkInterfaces for writing without constraint. */
const EVERY_INTERFACE = {
  checkov: {
    skip: [
      {
        id: 'CKV_AWS_111',
        comment:
          'Lambda checks the calls on network interfaces on every resource; a Deny keeps the code from them',
      },
    ],
  },
};

function role(prefix: string, name: string, { vpc, statements }: FunctionAccess): Resource {
  const Statement = [...ownLog(prefix, name), ...(vpc ? networkInterfaces(prefix, name) : []), ...statements];
  return {
    Type: 'AWS::IAM::Role',
    ...(vpc && { Metadata: EVERY_INTERFACE }),
    Properties: {
      Description: `What the function ${prefix}-${name} may do`,
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
        ],
      },
      Policies: [{ PolicyName: name, PolicyDocument: { Version: '2012-10-17', Statement } }],
    },
  };
}

/** X-Ray's calls take no resource. */
function ownLog(prefix: string, name: string): Statement[] {
  return [
    allow(
      ['logs:CreateLogStream', 'logs:PutLogEvents'],
      arn('logs', `log-group:/aws/lambda/${prefix}-${name}:*`),
    ),
    allow(['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], '*'),
  ];
}

/**
 * Lambda makes a function's network interfaces with the function's role, and asks for these calls on every resource;
 * the function's own code may not make them
 * (https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions).
 */
function networkInterfaces(prefix: string, name: string): Statement[] {
  const calls = [
    'ec2:CreateNetworkInterface',
    'ec2:DescribeNetworkInterfaces',
    'ec2:DescribeSubnets',
    'ec2:DeleteNetworkInterface',
    'ec2:AssignPrivateIpAddresses',
    'ec2:UnassignPrivateIpAddresses',
  ];
  const fromItsCode = {
    ArnEquals: { 'lambda:SourceFunctionArn': arn('lambda', `function:${prefix}-${name}`) },
  };
  return [allow(calls, '*'), { Effect: 'Deny', Action: calls, Resource: '*', Condition: fromItsCode }];
}

/** Its own variables, secrets and objects, all under the one key. */
function encryption(...actions: string[]): Statement {
  return allow(actions, getArn('DataKey'));
}

function inside(...statements: Statement[]): FunctionAccess {
  return { vpc: true, statements };
}

function outside(...statements: Statement[]): FunctionAccess {
  return { vpc: false, statements };
}

function allow(actions: string[], resource: unknown): Statement {
  return { Effect: 'Allow', Action: actions, Resource: resource };
}

function arn(service: string, resource: string): object {
  return sub(`arn:\${AWS::Partition}:${service}:${ACCOUNT}:${resource}`);
}

function sub(text: string): object {
  return { 'Fn::Sub': text };
}

function ref(id: string): object {
  return { Ref: id };
}

function getArn(id: string): object {
  return { 'Fn::GetAtt': [id, 'Arn'] };
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
