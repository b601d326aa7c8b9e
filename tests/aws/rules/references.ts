import { resolve } from '../physical.ts';
import { isIntrinsic, type Problem, type Rule, rule, valuesIn } from '../template.ts';

type Wanted = 'ARN' | 'name';

/** Properties whose names do not say what they take, by type and path; `*` stands for an index. */
const WANTED: Readonly<Record<string, Wanted>> = {
  'AWS::Athena::NamedQuery.WorkGroup': 'name',
  'AWS::Athena::NamedQuery.Database': 'name',
  'AWS::Athena::WorkGroup.WorkGroupConfiguration.ResultConfiguration.EncryptionConfiguration.KmsKey': 'ARN',
  'AWS::CloudWatch::Alarm.AlarmActions.*': 'ARN',
  'AWS::CloudWatch::Alarm.OKActions.*': 'ARN',
  'AWS::CloudWatch::Alarm.InsufficientDataActions.*': 'ARN',
  'AWS::CloudWatch::CompositeAlarm.AlarmActions.*': 'ARN',
  'AWS::ECS::Service.Cluster': 'name',
  'AWS::ECS::TaskDefinition.ContainerDefinitions.*.LogConfiguration.Options.awslogs-group': 'name',
  'AWS::ECS::TaskDefinition.ContainerDefinitions.*.Secrets.*.ValueFrom': 'ARN',
  'AWS::Glue::Job.Role': 'ARN',
  'AWS::Glue::Job.SecurityConfiguration': 'name',
  'AWS::Glue::Table.DatabaseName': 'name',
  'AWS::KinesisFirehose::DeliveryStream.ExtendedS3DestinationConfiguration.CloudWatchLoggingOptions.LogGroupName':
    'name',
  'AWS::Lambda::Function.Role': 'ARN',
  'AWS::Lambda::Permission.FunctionName': 'name',
  'AWS::Logs::LogGroup.KmsKeyId': 'ARN',
  'AWS::MSK::Cluster.ConfigurationInfo.Arn': 'ARN',
  'AWS::MSK::Cluster.EncryptionInfo.EncryptionAtRest.DataVolumeKMSKeyId': 'ARN',
  'AWS::MSK::Cluster.LoggingInfo.BrokerLogs.CloudWatchLogs.LogGroup': 'name',
  'AWS::MSK::BatchScramSecret.SecretArnList.*': 'ARN',
  'AWS::Pipes::Pipe.Source': 'ARN',
  'AWS::Pipes::Pipe.Enrichment': 'ARN',
  'AWS::Pipes::Pipe.Target': 'ARN',
  'AWS::SNS::Subscription.Endpoint': 'ARN',
  'AWS::SNS::TopicPolicy.Topics.*': 'ARN',
  'AWS::SecretsManager::RotationSchedule.SecretId': 'ARN',
};

/** Called after an ARN, but made otherwise: `<task definition>:*` and the like never stand there in ours. */
const ARN_BY_NAME = /(Arn|ARN|Arns|ARNs)$/;

/** Dimensions and conditions may be called anything, a policy's conditions have rules of their own. */
const ELSEWHERE =
  /^(PolicyDocument|AssumeRolePolicyDocument|KeyPolicy|Policies|Definition|Environment|Dimensions)$/;

/**
 * Ref gives some resources' names and others' ARNs: a Ref to a bucket where an ARN is due deploys until the service
 * refuses it. Values are worked out as CloudFormation will, so literals are judged as well.
 */
export const arnsAndNames: Rule = rule('reference-kind', (template) =>
  Object.entries(template.Resources).flatMap(([id, { Type, Properties = {} }]): Problem[] =>
    [...valuesIn(Properties)].flatMap(({ path, value }) => {
      if (path.some((name) => ELSEWHERE.test(name)) || !isLeaf(value)) return [];
      const wanted = wantedAt(Type, path);
      const given = resolve(template, value);
      if (wanted === undefined || typeof given !== 'string' || given.startsWith('<')) return [];
      if (Type === 'AWS::SNS::Subscription' && Properties['Protocol'] === 'email') return [];
      if (given.startsWith('arn:') === (wanted === 'ARN')) return [];
      return [
        {
          where: `${id}.${path.join('.')}`,
          what: `${given} is ${wanted === 'ARN' ? 'no ARN' : 'an ARN'}`,
          remedy: `give the ${wanted}${isIntrinsic(value) ? `; ${JSON.stringify(value)} is the other` : ''}`,
        },
      ];
    }),
  ),
);

function isLeaf(value: unknown): boolean {
  return typeof value === 'string' || isIntrinsic(value);
}

function wantedAt(type: string, path: readonly string[]): Wanted | undefined {
  const listed = WANTED[`${type}.${path.map((name) => (/^\d+$/.test(name) ? '*' : name)).join('.')}`];
  if (listed) return listed;
  const name = path.at(-1) ?? '';
  const named = /^\d+$/.test(name) ? (path.at(-2) ?? '') : name;
  return ARN_BY_NAME.test(named) ? 'ARN' : undefined;
}

/** `${X}` in a text that nobody substitutes reaches AWS as it stands. */
export const leftOver: Rule = rule('left-over-substitution', (template) =>
  Object.entries(template.Resources).flatMap(([id, { Properties }]): Problem[] =>
    [...valuesIn(Properties)].flatMap(({ path, value }) => {
      if (typeof value !== 'string' || path.some((name) => NEVER_PLAIN.has(name))) return [];
      const [left] = value.match(/\$\{(AWS::|self:|param:|sls:|[A-Z])[^}]*\}/) ?? [];
      if (left === undefined) return [];
      return [
        {
          where: `${id}.${path.join('.')}`,
          what: `the text holds ${left}`,
          remedy: 'put it into !Sub, or name a variable that exists',
        },
      ];
    }),
  ),
);

/** Where `${X}` is meant: arguments of Fn::Sub, and definitions with their own substitutions. */
const NEVER_PLAIN = new Set(['Fn::Sub', 'Definition', 'DefinitionString']);

export const referenceRules: Rule[] = [arnsAndNames, leftOver];
