import { type Problem, type Rule, rule, type Template } from '../template.ts';
import type { Authorization } from './authorization.ts';
import { globOf } from './authorization.ts';
import { fits } from './grants.ts';
import { type CallsInCode, type Need, needsOf } from './needs.ts';
import { type RolePolicies, rolesOf, type Statement } from './policies.ts';

/** Rules that hold what the code does against what the roles may do. */
export function coverageRules(
  authorization: Authorization,
  callsOf: (template: Template) => CallsInCode,
): Rule[] {
  return [
    rule('iam-missing', (template) => {
      const roles = new Map(rolesOf(template).map((role) => [role.id, role]));
      return needsOf(template, callsOf(template))
        .filter(({ optional }) => !optional)
        .flatMap((need) => missing(need, roles.get(need.role), authorization))
        .filter(isFirst);
    }),
    rule('iam-unused', (template) => {
      const needs = needsOf(template, callsOf(template));
      return rolesOf(template).flatMap((role) => unused(role, needs, authorization));
    }),
  ];
}

function missing(need: Need, role: RolePolicies | undefined, authorization: Authorization): Problem[] {
  if (!authorization.knows(need.action)) {
    return [
      {
        where: need.role,
        what: `${need.why} makes a call that IAM does not know as ${need.action}`,
        remedy: 'write down its permission in tests/aws/iam/needs.ts',
      },
    ];
  }
  if (role?.statements.some((statement) => covers(statement, need, authorization))) return [];
  const on = need.resource === undefined ? '' : ` on ${need.resource}`;
  return [
    {
      where: need.role,
      what: `${need.action}${on} is not granted; ${need.why} needs it`,
      remedy: 'grant it, on the resource it is done to',
    },
  ];
}

function covers(
  { effect, actions, resources }: Statement,
  need: Need,
  authorization: Authorization,
): boolean {
  if (effect !== 'Allow' || !actions.some((action) => allows(action, need.action))) return false;
  return resources.some((resource) => {
    const { resource: wanted } = need;
    if (wanted === undefined || wanted.includes('<')) return fits(resource, need.action, authorization);
    return globOf(resource).test(wanted);
  });
}

function allows(pattern: string, action: string): boolean {
  return globOf(pattern.toLowerCase()).test(action.toLowerCase());
}

/** One call in three places is one finding. */
function isFirst(problem: Problem, index: number, all: Problem[]): boolean {
  const key = ({ where, what }: Problem) => `${where} ${what.split(';')[0]}`;
  return all.findIndex((other) => key(other) === key(problem)) === index;
}

function unused({ id, statements }: RolePolicies, needs: Need[], authorization: Authorization): Problem[] {
  const wanted = new Set(needs.filter(({ role }) => role === id).map(({ action }) => action.toLowerCase()));
  return statements
    .filter(({ effect }) => effect === 'Allow')
    .flatMap(({ where, actions }) =>
      actions
        .filter((action) => !matched(action, authorization).some((one) => wanted.has(one)))
        .map((action) => ({
          where,
          what: `${action} is granted and nobody needs it`,
          remedy: 'take it away, or say in tests/aws/iam/needs.ts who needs it',
        })),
    );
}

function matched(action: string, authorization: Authorization): string[] {
  return action.includes('*') ? authorization.matching(action) : [action.toLowerCase()];
}
