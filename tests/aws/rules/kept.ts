import { type Problem, type Resource, type Rule, rule } from '../template.ts';

/** What outlives the stack, and how. Everything else goes with `sls remove`. */
const KEPT: Readonly<Record<string, 'Retain' | 'Snapshot'>> = {
  DataKey: 'Retain',
  LandingBucket: 'Retain',
  LandingBucketPolicy: 'Retain',
  LakeBucket: 'Retain',
  LakeBucketPolicy: 'Retain',
  Database: 'Snapshot',
};

const problems = (id: string, resource: Resource): Problem[] => {
  const wanted = KEPT[id] ?? 'Delete';
  return (['DeletionPolicy', 'UpdateReplacePolicy'] as const).flatMap((policy) => {
    const given = resource[policy] ?? defaultOf(resource.Type);
    if (given === wanted) return [];
    return [
      {
        where: `${id}.${policy}`,
        what: `${given}, where ${wanted} is due`,
        remedy:
          wanted === 'Delete'
            ? 'leave it out, or list the resource among what stays (tests/aws/rules/kept.ts, docs/operations.md)'
            : `set both DeletionPolicy and UpdateReplacePolicy to ${wanted}`,
      },
    ];
  });
};

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html */
function defaultOf(type: string): string {
  return type === 'AWS::RDS::DBInstance' ? 'Snapshot' : 'Delete';
}

/** Data stays when the stack goes, and nothing else does: what stays by accident is in the next deployment's way. */
export const kept: Rule = rule('kept', (template) =>
  Object.entries(template.Resources).flatMap(([id, resource]) => problems(id, resource)),
);

export const keptRules: Rule[] = [kept];
