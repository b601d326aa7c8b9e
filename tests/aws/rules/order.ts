import { dependenciesOf, type Problem, type Rule, rule, type Template, valuesIn } from '../template.ts';

/** What is made before a resource of a type, and so is still there when it is removed: every resource of these types. */
const BEFORE: Readonly<Record<string, readonly string[]>> = {
  // Preparing and removing go through a function in the VPC, by its routes, endpoints and security groups.
  'Custom::Source': [
    'AWS::RDS::DBInstance',
    // Once a new table is published its changes flow.
    'AWS::MSK::Topic',
    'AWS::EC2::Route',
    'AWS::EC2::VPCEndpoint',
    'AWS::EC2::SecurityGroupIngress',
    'AWS::EC2::SecurityGroupEgress',
  ],
  // Connect makes a topic that is missing with settings of its own; a connector without slot or publication fails.
  'Custom::Connector': [
    'Custom::Source',
    'AWS::MSK::Topic',
    'AWS::ECS::Service',
    'AWS::EC2::Route',
    'AWS::EC2::VPCEndpoint',
    'AWS::EC2::SecurityGroupIngress',
    'AWS::EC2::SecurityGroupEgress',
  ],
  // Its first container signs in to the brokers, and is replaced a few times at most: they need time to learn its user. While
  // it runs, its connector may hold the slot that the source's removal drops.
  'AWS::ECS::Service': ['AWS::MSK::BatchScramSecret', 'AWS::MSK::Topic', 'AWS::EC2::Route', 'Custom::Source'],
  // Scheduler starts at once: a run would fail without a connector, and the cost guard would pause half a deployment.
  'AWS::Scheduler::Schedule': ['Custom::Connector'],
  'AWS::Budgets::Budget': ['AWS::SNS::TopicPolicy'],
};

/** CloudFormation makes and removes in the order of references: what nobody refers to may go first. */
export const order: Rule = rule('order', (template) =>
  Object.entries(template.Resources).flatMap(([id, { Type }]): Problem[] => {
    const wanted = BEFORE[Type];
    if (!wanted) return [];
    const before = allBefore(template, id);
    return Object.entries(template.Resources)
      .filter(([other, resource]) => wanted.includes(resource.Type) && !before.has(other))
      .map(([other]) => ({
        where: id,
        what: `${other} may be made later, and removed earlier`,
        remedy: `name it in DependsOn, of ${id} or of what that waits for`,
      }));
  }),
);

function allBefore(template: Template, id: string): Set<string> {
  const before = new Set<string>();
  const open = [id];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    for (const next of directlyBefore(template, one)) {
      if (before.has(next)) continue;
      before.add(next);
      open.push(next);
    }
  }
  return before;
}

function directlyBefore(template: Template, id: string): string[] {
  const resource = template.Resources[id];
  if (!resource) return [];
  const named = [...valuesIn(resource.Properties)].flatMap(({ path, value }) => {
    if (path.at(-1) === 'Ref') return [String(value)];
    if (path.at(-1) === 'Fn::GetAtt') return [String([value].flat()[0]).split('.')[0] ?? ''];
    return path.includes('Fn::Sub') && typeof value === 'string' ? substitutedIn(value) : [];
  });
  return [...dependenciesOf(resource), ...named].filter((name) => name in template.Resources);
}

function substitutedIn(text: string): string[] {
  return [...text.matchAll(/\$\{([A-Za-z0-9]+)[^}]*\}/g)].map(([, name]) => name ?? '');
}

export const orderRules: Rule[] = [order];
