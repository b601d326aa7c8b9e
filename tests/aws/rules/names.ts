import { physicalName, textOf } from '../physical.ts';
import { ofType, type Problem, type Properties, type Rule, rule, type Template } from '../template.ts';

/** Characters of a physical name, by the API reference of each service. */
const LONGEST: Readonly<Record<string, number>> = {
  'AWS::CloudWatch::Alarm': 255,
  'AWS::Glue::Job': 255,
  'AWS::IAM::Role': 64,
  'AWS::KinesisFirehose::DeliveryStream': 64,
  'AWS::Lambda::Function': 64,
  'AWS::MSK::Cluster': 64,
  'AWS::Pipes::Pipe': 64,
  'AWS::RDS::DBInstance': 63,
  'AWS::SQS::Queue': 80,
  'AWS::Scheduler::Schedule': 64,
  'AWS::StepFunctions::StateMachine': 80,
};

export const nameLength: Rule = rule('name-length', (template) =>
  Object.entries(LONGEST).flatMap(([type, limit]) =>
    ofType(template, type)
      .map(([id]) => ({ id, name: physicalName(template, id) }))
      .filter(({ name }) => name.length > limit)
      .map(({ id, name }) => ({
        where: id,
        what: `the name ${name} has ${name.length} characters`,
        remedy: `shorten it to ${limit}, by a hash if it comes from the registry`,
      })),
  ),
);

/** Properties that hold the fixed name of a resource. */
const NAMES =
  /^(AlarmName|AliasName|BudgetName|BucketName|ClusterName|DashboardName|DBInstanceIdentifier|DeliveryStreamName|FunctionName|LogGroupName|ManagedPolicyName|QueueName|RoleName|ServiceName|StateMachineName|TableName|TopicName)$/;
/** Types whose fixed name is called `Name`. */
const NAMED =
  /^AWS::(Athena::WorkGroup|Events::Rule|Glue::(Job|SecurityConfiguration)|MSK::Configuration|Pipes::Pipe|Scheduler::Schedule|SecretsManager::Secret)$/;
/** Whose names mean something inside of a resource of ours, which has the stage's name itself. */
const INSIDE = /^AWS::(MSK::Topic|Lambda::(Permission|Version)|EC2::.+|ECS::Service|KMS::.+)$/;

/** Two stages of a project live in one account: every fixed name says which it belongs to. Buckets have none. */
export const stageInName: Rule = rule('stage-in-name', (template) => {
  const prefix = prefixOf(template);
  return Object.entries(template.Resources).flatMap(([id, { Type, Properties = {} }]): Problem[] => {
    const fixed = fixedNames(Type, Properties).map((value) => textOf(template, value));
    if (Type === 'AWS::S3::Bucket' && fixed.length > 0) {
      return [
        {
          where: id,
          what: 'has a fixed name',
          remedy: 'leave it out: a deployment after a removal makes a new one',
        },
      ];
    }
    return fixed
      .filter((name) => !name.includes(prefix) && !name.includes(prefix.replaceAll('-', '_')))
      .map((name) => ({
        where: id,
        what: `the name ${name} is the same in every stage`,
        remedy: `begin it with ${prefix}`,
      }));
  });
});

function fixedNames(type: string, properties: Properties): unknown[] {
  if (INSIDE.test(type)) return [];
  return Object.entries(properties)
    .filter(([name]) => NAMES.test(name) || (name === 'Name' && NAMED.test(type)) || isFamily(type, name))
    .map(([, value]) => value);
}

/** A task definition's name; a database parameter group's is the engine. */
function isFamily(type: string, name: string): boolean {
  return type === 'AWS::ECS::TaskDefinition' && name === 'Family';
}

/** `cdc-demo-dev`: what comes before `-enrich` in the name of that function. */
function prefixOf(template: Template): string {
  return physicalName(template, 'EnrichLambdaFunction').replace(/-enrich$/, '');
}

export const nameRules: Rule[] = [nameLength, stageInName];
