import { type Problem, type Rule, rule } from '../template.ts';
import type { Authorization } from './authorization.ts';
import { resourcePoliciesOf, rolesOf, type Statement } from './policies.ts';

/**
 * Actions that are granted on `*` although AWS knows narrower resources for them, with the reason. Actions without any
 * resource of their own (X-Ray's, log deliveries, lists) need no entry: the authorization reference says it of them.
 */
const EVERYWHERE: Readonly<Record<string, string>> = {
  'ec2:CreateNetworkInterface':
    'Lambda and Pipes check it on * (https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions)',
  'ec2:DeleteNetworkInterface': 'as CreateNetworkInterface: the interface’s id is not known before',
  'ec2:AssignPrivateIpAddresses': 'as CreateNetworkInterface',
  'ec2:UnassignPrivateIpAddresses': 'as CreateNetworkInterface',
  'cloudwatch:GetMetricData':
    'metrics are no resources (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/permissions-reference-cw.html)',
  'cloudwatch:PutMetricData': 'as GetMetricData; a condition on cloudwatch:namespace narrows it',
  'cloudwatch:DescribeAlarms':
    'asked for all alarms of a prefix, which is a list (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/permissions-reference-cw.html)',
};

/** Rules about what is granted at all, whoever uses it. */
export function grantRules(authorization: Authorization): Rule[] {
  return [
    everyAction('iam-action-star', authorization, starredAction),
    rule('iam-resource-star', (template) =>
      rolesOf(template).flatMap(({ statements }) =>
        statements
          .filter(({ effect }) => effect === 'Allow')
          .flatMap((one) => starredResource(one, authorization)),
      ),
    ),
    rule('iam-resource-kind', (template) =>
      rolesOf(template).flatMap(({ statements }) =>
        statements.filter(({ effect }) => effect === 'Allow').flatMap((one) => otherKind(one, authorization)),
      ),
    ),
    rule('iam-log-stream', (template) =>
      rolesOf(template).flatMap(({ statements }) => statements.flatMap(behindEveryStream)),
    ),
    rule('iam-managed-policy', (template) =>
      rolesOf(template).flatMap(({ id, managed }) =>
        managed.map((arn) => ({
          where: id,
          what: `${arn} grants more than the role needs, and AWS changes it`,
          remedy: 'write out what is needed',
        })),
      ),
    ),
    rule('iam-open-policy', (template) =>
      resourcePoliciesOf(template).flatMap(({ statements }) =>
        statements
          .filter(
            ({ effect, actions }) => effect === 'Allow' && actions.some((action) => /^\*$|:\*$/.test(action)),
          )
          .filter(({ actions, principal }) => !(actions.join() === 'kms:*' && isAccount(principal)))
          .map(({ where, actions }) => ({
            where,
            what: `allows ${actions.join(', ')}`,
            remedy: 'name the actions that are needed',
          })),
      ),
    ),
    rule('iam-anybody', (template) =>
      resourcePoliciesOf(template).flatMap(({ statements }) =>
        statements
          .filter(
            ({ effect, principal, conditional }) =>
              effect === 'Allow' && isAnybody(principal) && !conditional,
          )
          .map(({ where }) => ({
            where,
            what: 'allows everybody',
            remedy: 'name a principal, or set a condition',
          })),
      ),
    ),
  ];
}

function everyAction(
  name: string,
  authorization: Authorization,
  check: (action: string, authorization: Authorization) => Omit<Problem, 'where'> | undefined,
): Rule {
  return rule(name, (template) =>
    rolesOf(template).flatMap(({ statements }) =>
      statements
        .filter(({ effect }) => effect === 'Allow')
        .flatMap(({ where, actions }) =>
          actions.flatMap((action) => {
            const problem = check(action, authorization);
            return problem ? [{ where, ...problem }] : [];
          }),
        ),
    ),
  );
}

/** Families that AWS's own documentation writes with a star, and that hold nothing else. */
const FAMILIES = new Set(['kms:ReEncrypt*', 'kms:GenerateDataKey*']);

function starredAction(action: string, authorization: Authorization): Omit<Problem, 'where'> | undefined {
  if (!action.includes('*')) {
    return authorization.knows(action)
      ? undefined
      : {
          what: `AWS knows no action ${action}`,
          remedy: 'look it up in the Service Authorization Reference',
        };
  }
  return FAMILIES.has(action)
    ? undefined
    : { what: `${action} grants what nobody listed`, remedy: 'name the actions that are needed' };
}

/** `*`, or an ARN that leaves open which of its kind. */
function starredResource({ where, actions, resources }: Statement, authorization: Authorization): Problem[] {
  const open = resources.filter((resource) =>
    /^\*$|^arn:[^:]*:[^:]*:[^:]*:[^:]*:([a-z-]+[:/])?\*+$/.test(resource),
  );
  return open.flatMap((resource) =>
    actions
      .flatMap((action) => (action.includes('*') ? authorization.matching(action) : [action]))
      .filter((action) => !mayBeEverywhere(action, authorization))
      .map((action) => ({
        where,
        what: `${action} on ${resource}`,
        remedy: 'name the resource, or list the action with its reason in tests/aws/iam/grants.ts',
      })),
  );
}

function mayBeEverywhere(action: string, authorization: Authorization): boolean {
  const listed = Object.keys(EVERYWHERE).some((name) => name.toLowerCase() === action.toLowerCase());
  return listed || (authorization.knows(action) && authorization.resourcesOf(action).length === 0);
}

/** An action beside a resource of another kind: IAM accepts the policy, and the call is denied. */
function otherKind({ where, actions, resources }: Statement, authorization: Authorization): Problem[] {
  return actions
    .filter((action) => !action.includes('*') && authorization.knows(action))
    .filter((action) => !resources.some((resource) => fits(resource, action, authorization)))
    .map((action) => ({
      where,
      what: `${action} can't be granted on ${resources.join(', ')}`,
      remedy:
        authorization.resourcesOf(action).length === 0
          ? 'AWS takes * alone for it: give it a statement of its own'
          : `it is granted on ${authorization.resourcesOf(action).map(String).join(' or ')}`,
    }));
}

/**
 * `${Group.Arn}:log-stream:errors`: the attribute ends in `:*` already, so that this names nothing that there is
 * (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-logs-loggroup.html, return values).
 */
function behindEveryStream({ where, resources }: Statement): Problem[] {
  return resources
    .filter((resource) => /^arn:[^:]*:logs:.*:\*:/.test(resource))
    .map((resource) => ({
      where,
      what: `${resource} matches no log stream`,
      remedy: 'grant it on the group’s Arn as it is, or write the ARN out',
    }));
}

/** Whether a resource of a policy, with its wildcards, can be one that the action is granted on. */
export function fits(resource: string, action: string, authorization: Authorization): boolean {
  if (resource === '*') return true;
  const filled = [
    resource.replaceAll('*', 'x'),
    resource.replaceAll('*', 'x/x'),
    resource.replace(/<[^>]*>/g, 'x'),
  ];
  return authorization
    .resourcesOf(action)
    .some((format) => filled.some((text) => format.test(text)) || format.test(resource));
}

/** A key's policy that leaves the account out can never be changed again (docs/kms/latest/developerguide/key-policy-default.html). */
function isAccount(principal: unknown): boolean {
  return JSON.stringify(principal ?? '').includes(':root');
}

function isAnybody(principal: unknown): boolean {
  return JSON.stringify(principal ?? '') === '"*"' || JSON.stringify(principal ?? '').includes('"AWS":"*"');
}
