import type { Resource } from './generated.ts';

/** One metric as CloudWatch keeps it: all of its dimensions, since a metric with fewer is another one. */
export type Series = {
  namespace: string;
  metric: string;
  dimensions: Record<string, unknown>;
  statistic: 'Maximum' | 'Minimum' | 'Sum' | 'Average';
};

/** An alarm, before it has a deployment's names. */
export type Alarm = {
  /** `connector-down`: the alarm's name behind the prefix, and the name of its page in docs/runbook. */
  page: string;
  /** Tells alarms of one page apart: a layer, a kind of function. */
  part?: string;
  /** What happened. */
  what: string;
  /** What to do first. */
  remedy: string;
  /** What is watched: at most ten metrics, which an alarm's expression can take. */
  series: Series[];
  /** What several metrics come to; the worst of them unless it says otherwise. */
  combine?: 'MAX' | 'MIN' | 'SUM';
  when: '>' | '>=' | '<';
  threshold: number;
  /** Seconds that a data point covers, and how many of them in a row have to breach. */
  period: number;
  periods: number;
  /**
   * Of how many periods that many have to breach; of as many unless it says otherwise. More of them hold an alarm until
   * so many were sound: what fails once a run would otherwise begin and be over with every run.
   */
  outOf?: number;
  /** What no data means. `ignore` keeps the state: for metrics that come with a run only. */
  missing: 'breaching' | 'notBreaching' | 'ignore';
};

/** Metrics that one alarm's expression may take (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html). */
export const SERIES_AN_ALARM = 10;

/** Characters of an alarm's description (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html). */
const DESCRIPTION_LENGTH = 1024;

const COMPARISONS = {
  '>': 'GreaterThanThreshold',
  '>=': 'GreaterThanOrEqualToThreshold',
  '<': 'LessThanThreshold',
} as const;

/** `connector-down`, `gate-failed-gold`. */
export function alarmName({ page, part }: Pick<Alarm, 'page' | 'part'>): string {
  return part === undefined ? page : `${page}-${part}`;
}

/** `AlarmConnectorDown`. */
export function alarmId(alarm: Pick<Alarm, 'page' | 'part'>): string {
  const words = alarmName(alarm).split('-');
  return `Alarm${words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')}`;
}

/**
 * The CloudWatch alarm. It tells when it begins and when it is over.
 * @param prefix of the deployment's names
 * @param runbook where the pages of docs/runbook are read: a folder or an address
 */
export function alarmResource(alarm: Alarm, prefix: string, runbook: string): Resource {
  return {
    Type: 'AWS::CloudWatch::Alarm',
    Properties: {
      AlarmName: `${prefix}-${alarmName(alarm)}`,
      AlarmDescription: description(alarm, runbook),
      ...watched(alarm),
      ComparisonOperator: COMPARISONS[alarm.when],
      Threshold: alarm.threshold,
      EvaluationPeriods: alarm.outOf ?? alarm.periods,
      DatapointsToAlarm: alarm.periods,
      TreatMissingData: alarm.missing,
      AlarmActions: [{ Ref: 'AlertTopic' }],
      OKActions: [{ Ref: 'AlertTopic' }],
    },
  };
}

function description({ page, what, remedy }: Alarm, runbook: string): string {
  const text = `${what} ${remedy} Runbook: ${runbook}/${page}.md`;
  if (text.length > DESCRIPTION_LENGTH) {
    throw new Error(
      `The description of the alarm ${page} has ${text.length} characters, ${DESCRIPTION_LENGTH} are allowed.`,
    );
  }
  return text;
}

function watched({ series, combine = 'MAX', period }: Alarm): Record<string, unknown> {
  const [only, ...others] = series;
  if (only !== undefined && others.length === 0) {
    return { ...metricOf(only), Statistic: only.statistic, Period: period };
  }
  const metrics = series.map((one, index) => ({
    Id: `m${index}`,
    MetricStat: { Metric: metricOf(one), Stat: one.statistic, Period: period },
    ReturnData: false,
  }));
  const ids = metrics.map(({ Id }) => Id).join(',');
  return { Metrics: [...metrics, { Id: 'all', Expression: `${combine}([${ids}])`, ReturnData: true }] };
}

function metricOf({ namespace, metric, dimensions }: Series): Record<string, unknown> {
  return {
    Namespace: namespace,
    MetricName: metric,
    Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
  };
}
