import { REGION, resolve } from '../physical.ts';
import { ofType, type Properties, type Rule, rule, type Template } from '../template.ts';
import { globOf } from './authorization.ts';
import { resourcePoliciesOf, type Statement } from './policies.ts';

/** A service of AWS that does something to a resource in its own name, which the resource's policy must allow. */
type Visit = { service: string; action: string; resource: string; why: string };

/**
 * An alarm that may not publish, or whose message can't be encrypted, fails without a trace: policies of topics, queues,
 * functions and of the key are held against the resources that make services call them.
 */
export const serviceAccess: Rule = rule('service-access', (template) =>
  visitsIn(template)
    .filter(isFirst)
    .filter((visit) => !isLetIn(template, visit))
    .map(({ service, action, resource, why }) => ({
      where: resource,
      what: `${service} may not ${action}; ${why}`,
      remedy: `allow it in the policy of ${resource}`,
    })),
);

function visitsIn(template: Template): Visit[] {
  return [
    ...publishers(template).flatMap(({ service, topic, why }) => [
      { service, action: 'sns:Publish', resource: topic, why },
      ...useOfKey(template, topic, service, why),
    ]),
    ...queueSubscriptions(template).flatMap(({ queue, why }) => [
      { service: 'sns.amazonaws.com', action: 'sqs:SendMessage', resource: queue, why },
      ...useOfKey(template, queue, 'sns.amazonaws.com', why),
    ]),
    ...ofType(template, 'AWS::Logs::LogGroup')
      .filter(([, { KmsKeyId }]) => KmsKeyId !== undefined)
      .flatMap(([id]) =>
        ['kms:Encrypt', 'kms:Decrypt', 'kms:GenerateDataKey'].map((action) => ({
          service: `logs.${REGION}.amazonaws.com`,
          action,
          resource: 'DataKey',
          why: `${id} is encrypted`,
        })),
      ),
    ...pipeLogs(template),
    ...invokers(template),
  ];
}

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-encryption-pipes-cmkey.html */
function pipeLogs(template: Template): Visit[] {
  return ofType(template, 'AWS::Pipes::Pipe')
    .filter(([, pipe]) => pipe['KmsKeyIdentifier'] !== undefined && pipe['LogConfiguration'] !== undefined)
    .flatMap(([id]) =>
      ['kms:Decrypt', 'kms:GenerateDataKey'].map((action) => ({
        service: 'delivery.logs.amazonaws.com',
        action,
        resource: 'DataKey',
        why: `${id} has a key and a log`,
      })),
    );
}

function publishers(template: Template): { service: string; topic: string; why: string }[] {
  const alarms = ofType(template, 'AWS::CloudWatch::Alarm').flatMap(([id, alarm]) =>
    [...(alarm['AlarmActions'] ?? []), ...(alarm['OKActions'] ?? [])].map((action: unknown) => ({
      service: 'cloudwatch.amazonaws.com',
      target: action,
      why: `${id} alerts`,
    })),
  );
  const budgets = ofType(template, 'AWS::Budgets::Budget').flatMap(([id, budget]) =>
    (budget['NotificationsWithSubscribers'] ?? []).flatMap(({ Subscribers = [] }: Properties) =>
      (Subscribers as Properties[])
        .filter(({ SubscriptionType }) => SubscriptionType === 'SNS')
        .map(({ Address }) => ({ service: 'budgets.amazonaws.com', target: Address, why: `${id} alerts` })),
    ),
  );
  const rules = ofType(template, 'AWS::Events::Rule').flatMap(([id, { Targets = [] }]) =>
    (Targets as Properties[]).map(({ Arn }) => ({
      service: 'events.amazonaws.com',
      target: Arn,
      why: `${id} alerts`,
    })),
  );
  return [...alarms, ...budgets, ...rules].flatMap(({ service, target, why }) => {
    const topic = referred(template, target, 'AWS::SNS::Topic');
    return topic === undefined ? [] : [{ service, topic, why }];
  });
}

function queueSubscriptions(template: Template): { queue: string; why: string }[] {
  return ofType(template, 'AWS::SNS::Subscription')
    .filter(([, { Protocol }]) => Protocol === 'sqs')
    .flatMap(([id, { Endpoint }]) => {
      const queue = referred(template, Endpoint, 'AWS::SQS::Queue');
      return queue === undefined ? [] : [{ queue, why: `${id} delivers` }];
    });
}

/** Services that invoke functions without a role of ours. */
function invokers(template: Template): Visit[] {
  const rotations = ofType(template, 'AWS::SecretsManager::RotationSchedule').map(([id, schedule]) => ({
    service: 'secretsmanager.amazonaws.com',
    target: schedule['RotationLambdaARN'],
    why: `${id} rotates`,
  }));
  const rules = ofType(template, 'AWS::Events::Rule').flatMap(([id, { Targets = [] }]) =>
    (Targets as Properties[]).map(({ Arn }) => ({
      service: 'events.amazonaws.com',
      target: Arn,
      why: `${id} starts it`,
    })),
  );
  return [...rotations, ...rules].flatMap(({ service, target, why }) => {
    const lambda = referred(template, target, 'AWS::Lambda::Function');
    return lambda === undefined ? [] : [{ service, action: 'lambda:InvokeFunction', resource: lambda, why }];
  });
}

function useOfKey(template: Template, id: string, service: string, why: string): Visit[] {
  if (template.Resources[id]?.Properties?.['KmsMasterKeyId'] === undefined) return [];
  return ['kms:Decrypt', 'kms:GenerateDataKey'].map((action) => ({
    service,
    action,
    resource: 'DataKey',
    why: `${why}, and ${id} is encrypted`,
  }));
}

/** The logical id that a Ref or GetAtt names, when it is of the type. */
function referred(template: Template, value: unknown, type: string): string | undefined {
  const call = value as Properties | undefined;
  const id = call?.['Ref'] ?? [call?.['Fn::GetAtt']].flat()[0];
  const name = String(id).split('.')[0] ?? '';
  return template.Resources[name]?.Type === type ? name : undefined;
}

/** One finding for a service and an action, whatever asks for it how often. */
function isFirst({ service, action, resource }: Visit, index: number, all: Visit[]): boolean {
  return (
    all.findIndex(
      (other) => other.service === service && other.action === action && other.resource === resource,
    ) === index
  );
}

/** Properties of a policy that name what it belongs to. */
const BELONGS_TO = ['Topics', 'Queues'];

function isLetIn(template: Template, visit: Visit): boolean {
  const permitted = ofType(template, 'AWS::Lambda::Permission').some(
    ([, { FunctionName, Principal, Action }]) =>
      Principal === visit.service &&
      Action === visit.action &&
      referred(template, FunctionName, 'AWS::Lambda::Function') === visit.resource,
  );
  return (
    permitted ||
    resourcePoliciesOf(template)
      .filter(({ id }) => id === visit.resource || belongsTo(template, id, visit.resource))
      .some(({ statements }) => statements.some((statement) => letsIn(template, statement, visit)))
  );
}

function belongsTo(template: Template, policy: string, id: string): boolean {
  const properties = template.Resources[policy]?.Properties ?? {};
  return BELONGS_TO.some((name) => JSON.stringify(properties[name] ?? []).includes(`{"Ref":"${id}"}`));
}

function letsIn(template: Template, { effect, principal, actions }: Statement, visit: Visit): boolean {
  const services = [resolve(template, (principal as Properties | undefined)?.['Service'] ?? [])].flat();
  return (
    effect === 'Allow' &&
    services.includes(visit.service) &&
    actions.some((action) => globOf(action.toLowerCase()).test(visit.action.toLowerCase()))
  );
}
