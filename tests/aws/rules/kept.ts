import { type Problem, type Resource, type Rule, rule } from '../template.ts';

type Policies = { DeletionPolicy: string; UpdateReplacePolicy: string };

/** Not when the deployment fails that made it: each attempt would leave another key and other buckets. */
const RETAINED: Policies = { DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' };
const SNAPSHOT: Policies = { DeletionPolicy: 'Snapshot', UpdateReplacePolicy: 'Snapshot' };
const DELETED: Policies = { DeletionPolicy: 'Delete', UpdateReplacePolicy: 'Delete' };

/** What outlives the stack, and how. Everything else goes with `sls remove`. */
const KEPT: Readonly<Record<string, Policies>> = {
  DataKey: RETAINED,
  LandingBucket: RETAINED,
  LandingBucketPolicy: RETAINED,
  LakeBucket: RETAINED,
  LakeBucketPolicy: RETAINED,
  Database: SNAPSHOT,
};

const problems = (id: string, resource: Resource): Problem[] => {
  const wanted = KEPT[id] ?? DELETED;
  return (['DeletionPolicy', 'UpdateReplacePolicy'] as const).flatMap((policy) => {
    const given = resource[policy] ?? defaultOf(resource.Type);
    if (given === wanted[policy]) return [];
    return [
      {
        where: `${id}.${policy}`,
        what: `${given}, where ${wanted[policy]} is due`,
        remedy:
          wanted === DELETED
            ? 'leave it out, or list the resource among what stays (tests/aws/rules/kept.ts, docs/operations.md)'
            : `set it to ${wanted[policy]}`,
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
