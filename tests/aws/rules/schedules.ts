import { ofType, type Problem, type Properties, type Rule, rule } from '../template.ts';

type ScheduleProblem = Omit<Problem, 'where'>;

/** Types with a schedule, and whether they know `at(...)` and several time zones. */
const SCHEDULED: Readonly<Record<string, { once: boolean }>> = {
  'AWS::Scheduler::Schedule': { once: true },
  'AWS::Events::Rule': { once: false },
};

/** https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based */
const CRON_FIELDS: readonly { name: string; least: number; most: number; names?: readonly string[] }[] = [
  { name: 'minutes', least: 0, most: 59 },
  { name: 'hours', least: 0, most: 23 },
  { name: 'day of month', least: 1, most: 31 },
  {
    name: 'month',
    least: 1,
    most: 12,
    names: ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'],
  },
  { name: 'day of week', least: 1, most: 7, names: ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'] },
  { name: 'year', least: 1970, most: 2199 },
];
const DAY_OF_MONTH = 2;
const DAY_OF_WEEK = 4;

export const schedules: Rule = rule('schedule', (template) =>
  Object.entries(SCHEDULED).flatMap(([type, { once }]) =>
    ofType(template, type).flatMap(([id, schedule]): Problem[] => {
      const expression = schedule['ScheduleExpression'];
      const wrong = typeof expression === 'string' ? expressionProblem(expression, once) : undefined;
      const expressionProblems =
        wrong === undefined
          ? []
          : [{ what: `${expression}: ${wrong}`, remedy: 'write rate(...) or cron(...) as AWS reads it' }];
      return [...expressionProblems, ...windowProblems(schedule), ...zoneProblems(schedule)].map(
        (problem) => ({
          where: `${id}.ScheduleExpression`,
          ...problem,
        }),
      );
    }),
  ),
);

/** https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html */
export const rotationWindow: Rule = rule('rotation-window', (template) =>
  ofType(template, 'AWS::SecretsManager::RotationSchedule')
    .filter(([, { RotationRules: rules }]) => rules?.Duration === undefined)
    .map(([id]) => ({
      where: `${id}.RotationRules`,
      what: 'without a Duration the secret is rotated at any time until midnight UTC, also while the database sleeps',
      remedy: 'say a Duration',
    })),
);

/** What is wrong with a schedule expression; undefined when it is sound. */
export function expressionProblem(expression: string, once: boolean): string | undefined {
  const [, kind, inner = ''] = expression.match(/^(rate|cron|at)\((.*)\)$/) ?? [];
  if (kind === 'rate') return rateProblem(inner);
  if (kind === 'cron') return cronProblem(inner);
  if (kind === 'at' && once) {
    return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(inner) ? undefined : 'at() takes yyyy-mm-ddThh:mm:ss';
  }
  return 'neither rate(...) nor cron(...)';
}

function rateProblem(inner: string): string | undefined {
  const [, count = '', unit = ''] = inner.match(/^([1-9]\d*) (minute|hour|day)s?$/) ?? [];
  if (count === '') return 'a rate is a number of minutes, hours or days';
  const plural = inner.endsWith('s');
  // EventBridge refuses `rate(1 hours)` and `rate(5 hour)`.
  return plural === (count !== '1') ? undefined : `write ${count} ${unit}${count === '1' ? '' : 's'}`;
}

function cronProblem(inner: string): string | undefined {
  const fields = inner.split(' ');
  if (fields.length !== CRON_FIELDS.length) return `cron has 6 fields, not ${fields.length}`;
  const questions = [fields[DAY_OF_MONTH], fields[DAY_OF_WEEK]].filter((field) => field === '?').length;
  if (questions !== 1) return 'one of day of month and day of week is ?, the other is not';
  for (const [index, field] of CRON_FIELDS.entries()) {
    const text = fields[index] ?? '';
    if (!isCronField(text, index)) return `${text} is no ${field.name}`;
  }
  return undefined;
}

function isCronField(text: string, index: number): boolean {
  if (text === '?') return index === DAY_OF_MONTH || index === DAY_OF_WEEK;
  if (index === DAY_OF_MONTH && /^(L|\d{1,2}W)$/.test(text)) return true;
  if (index === DAY_OF_WEEK && /^([1-7]|[A-Z]{3})(L|#[1-5])$/.test(text)) return true;
  return text.split(',').every((item) => {
    const [range = '', step] = item.split('/');
    if (step !== undefined && !/^[1-9]\d*$/.test(step)) return false;
    return range === '*' || range.split('-').every((end) => isInField(end, index));
  });
}

function isInField(text: string, index: number): boolean {
  const field = CRON_FIELDS[index];
  if (!field) return false;
  if (field.names?.includes(text)) return true;
  return /^\d+$/.test(text) && Number(text) >= field.least && Number(text) <= field.most;
}

function windowProblems({ FlexibleTimeWindow: window }: Properties): ScheduleProblem[] {
  if (window === undefined) return [];
  const minutes = window.MaximumWindowInMinutes;
  const flexible = window.Mode === 'FLEXIBLE';
  if (flexible === (minutes !== undefined) && (!flexible || (minutes >= 1 && minutes <= 1440))) return [];
  return [
    {
      what: `FlexibleTimeWindow ${JSON.stringify(window)}`,
      remedy: 'FLEXIBLE takes MaximumWindowInMinutes from 1 to 1440, OFF takes none',
    },
  ];
}

function zoneProblems({ ScheduleExpressionTimezone: zone }: Properties): ScheduleProblem[] {
  if (typeof zone !== 'string') return [];
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return [];
  } catch {
    return [{ what: `there is no time zone ${zone}`, remedy: 'take a name of the tz database, or UTC' }];
  }
}

export const scheduleRules: Rule[] = [schedules, rotationWindow];
