import { resolve } from '../physical.ts';
import { ofType, type Properties, type Template } from '../template.ts';

/** A statement of a policy, its lists made lists and its values worked out. */
export type Statement = {
  /** Logical id of the resource that holds it, and its place there: `EnrichRole.Policies.0.Statement.2`. */
  where: string;
  effect: string;
  actions: string[];
  resources: string[];
  principal: unknown;
  conditional: boolean;
};

/** What a role may do: the statements that the template gives it, and the policies of AWS's that it names. */
export type RolePolicies = { id: string; statements: Statement[]; managed: string[] };

/** The documents that stand in a role or are attached to it by AWS::IAM::Policy and AWS::IAM::RolePolicy. */
export function inlinePoliciesOf(template: Template, role: string): Properties[] {
  const own = template.Resources[role]?.Properties?.['Policies'] ?? [];
  const attached = [
    ...ofType(template, 'AWS::IAM::Policy').filter(([, { Roles = [] }]) => names(Roles, role)),
    ...ofType(template, 'AWS::IAM::RolePolicy').filter(([, { RoleName }]) => names([RoleName], role)),
  ];
  return [
    ...(own as Properties[]).map(({ PolicyDocument }) => PolicyDocument),
    ...attached.map(([, { PolicyDocument }]) => PolicyDocument),
  ];
}

function names(roles: unknown[], role: string): boolean {
  return roles.some((value) => (value as Properties | undefined)?.['Ref'] === role);
}

/** What every role of the template may do. */
export function rolesOf(template: Template): RolePolicies[] {
  return ofType(template, 'AWS::IAM::Role').map(([id, role]) => ({
    id,
    statements: [
      ...inlinePoliciesOf(template, id).flatMap((document, index) =>
        statementsOf(template, document, `${id}.Policies.${index}`),
      ),
      ...ofType(template, 'AWS::IAM::ManagedPolicy')
        .filter(([, { Roles = [] }]) => names(Roles, id))
        .flatMap(([policy, { PolicyDocument }]) => statementsOf(template, PolicyDocument, policy)),
    ],
    managed: [role['ManagedPolicyArns'] ?? []].flat().map((arn: unknown) => String(resolve(template, arn))),
  }));
}

/**
 * The policies that belong to resources: buckets, topics, queues, keys, secrets and roles' trust. Not those of VPC
 * endpoints, which only take away from what the caller may do.
 */
export function resourcePoliciesOf(
  template: Template,
): { id: string; type: string; statements: Statement[] }[] {
  const documents = ['PolicyDocument', 'KeyPolicy', 'AssumeRolePolicyDocument', 'ResourcePolicy'];
  return Object.entries(template.Resources)
    .filter(([, { Type }]) => !/^AWS::(IAM::(Policy|RolePolicy|ManagedPolicy)|EC2::VPCEndpoint)$/.test(Type))
    .flatMap(([id, { Type, Properties = {} }]) =>
      documents
        .filter((name) => typeof Properties[name] === 'object')
        .map((name) => ({
          id,
          type: Type,
          statements: statementsOf(template, Properties[name], `${id}.${name}`),
        })),
    );
}

function statementsOf(template: Template, document: Properties, where: string): Statement[] {
  const statements: Properties[] = [document['Statement'] ?? []].flat();
  return statements.map((statement, index) => ({
    where: `${where}.Statement.${index}`,
    effect: statement['Effect'],
    actions: [statement['Action'] ?? []].flat().map(String),
    resources: [resolve(template, statement['Resource'] ?? [])].flat().map(String),
    principal: statement['Principal'],
    conditional: statement['Condition'] !== undefined,
  }));
}
