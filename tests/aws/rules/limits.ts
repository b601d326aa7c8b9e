import { inlinePoliciesOf } from '../iam/policies.ts';
import { textOf } from '../physical.ts';
import { ofType, type Problem, type Properties, type Rule, rule, ruleFor } from '../template.ts';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
const RESOURCES = 500;
const PARAMETERS = 200;
const OUTPUTS = 200;
const TEMPLATE_BYTES = 1_000_000;

/** Without whitespace, a role's in sum: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const INLINE_POLICY_CHARACTERS = 10_240;
/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html: 20 KB; KMS: 32 KB. */
const BUCKET_POLICY_BYTES = 20 * 1024;
const KEY_POLICY_BYTES = 32 * 1024;

/** https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
const DEFINITION_BYTES = 1024 * 1024;

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html */
const DASHBOARD_WIDGETS = 500;
const DASHBOARD_METRICS = 2_500;
const WIDGET_METRICS = 500;
const ALARM_METRICS = 10;
const ALARM_DESCRIPTION_CHARACTERS = 1_024;

export const templateSize: Rule = rule('template-size', (template) => {
  const measures: [what: string, value: number, limit: number][] = [
    ['resources', Object.keys(template.Resources).length, RESOURCES],
    ['parameters', Object.keys(template.Parameters ?? {}).length, PARAMETERS],
    ['outputs', Object.keys(template.Outputs ?? {}).length, OUTPUTS],
    ['bytes of template', Buffer.byteLength(JSON.stringify(template)), TEMPLATE_BYTES],
  ];
  return measures
    .filter(([, value, limit]) => value > limit)
    .map(([what, value, limit]) => ({
      where: 'template',
      what: `${value} ${what}, CloudFormation takes ${limit}`,
      remedy: 'deploy fewer tables in one stack (docs/operations.md says how to divide them)',
    }));
});

export const policySize: Rule = rule('policy-size', (template) => {
  const roles = ofType(template, 'AWS::IAM::Role').map(([id]) => {
    const characters = inlinePoliciesOf(template, id)
      .map((document) => textOf(template, document).replaceAll(/\s/g, '').length)
      .reduce((sum, length) => sum + length, 0);
    return { id, size: characters, limit: INLINE_POLICY_CHARACTERS };
  });
  const others = [
    ...ofType(template, 'AWS::S3::BucketPolicy').map(([id, { PolicyDocument }]) => ({
      id,
      size: textOf(template, PolicyDocument).length,
      limit: BUCKET_POLICY_BYTES,
    })),
    ...ofType(template, 'AWS::KMS::Key').map(([id, { KeyPolicy }]) => ({
      id,
      size: textOf(template, KeyPolicy).length,
      limit: KEY_POLICY_BYTES,
    })),
  ];
  return [...roles, ...others]
    .filter(({ size, limit }) => size > limit)
    .map(({ id, size, limit }) => ({
      where: id,
      what: `policies of ${size} characters, AWS takes ${limit}`,
      remedy: 'name resources by a pattern instead of one by one, or divide the role',
    }));
});

export const definitionSize: Rule = ruleFor(
  'definition-size',
  'AWS::StepFunctions::StateMachine',
  ({ Definition }, _id, template) => {
    const bytes = Buffer.byteLength(textOf(template, Definition ?? {}));
    return bytes <= DEFINITION_BYTES
      ? []
      : [{ what: `a definition of ${bytes} bytes`, remedy: `keep it within ${DEFINITION_BYTES}` }];
  },
);

export const dashboardSize: Rule = rule('dashboard', (template) =>
  ofType(template, 'AWS::CloudWatch::Dashboard').flatMap(([id, { DashboardBody }]): Problem[] => {
    const text = textOf(template, DashboardBody);
    const body = parsed(text);
    if (body === undefined) return [{ where: id, what: 'its body is no JSON', remedy: 'make it valid JSON' }];
    const metrics = body.widgets.map(({ properties }) => properties?.['metrics']?.length ?? 0);
    const total = metrics.reduce((sum, count) => sum + count, 0);
    const measures: [string, number, number][] = [
      ['widgets', body.widgets.length, DASHBOARD_WIDGETS],
      ['metrics', total, DASHBOARD_METRICS],
      ['metrics in one widget', Math.max(0, ...metrics), WIDGET_METRICS],
    ];
    return measures
      .filter(([, value, limit]) => value > limit)
      .map(([what, value, limit]) => ({
        where: id,
        what: `${value} ${what}, CloudWatch takes ${limit}`,
        remedy: 'gather tables in one metric by SEARCH, or divide the dashboard',
      }));
  }),
);

function parsed(text: string): { widgets: { properties?: Properties }[] } | undefined {
  try {
    const body = JSON.parse(text);
    return Array.isArray(body.widgets) ? body : undefined;
  } catch {
    return undefined;
  }
}

export const alarmSize: Rule = ruleFor('alarm-size', 'AWS::CloudWatch::Alarm', (alarm, _id, template) => {
  const metrics = (alarm['Metrics'] ?? []).filter(
    (metric: Properties) => metric['MetricStat'] !== undefined,
  ).length;
  const description = textOf(template, alarm['AlarmDescription'] ?? '').length;
  const found = [];
  if (metrics > ALARM_METRICS) {
    found.push({ what: `${metrics} metrics`, remedy: `make groups of ${ALARM_METRICS}` });
  }
  if (description > ALARM_DESCRIPTION_CHARACTERS) {
    found.push({
      what: `a description of ${description} characters`,
      remedy: `keep it within ${ALARM_DESCRIPTION_CHARACTERS}`,
    });
  }
  return found;
});

export const limitRules: Rule[] = [templateSize, policySize, definitionSize, dashboardSize, alarmSize];
