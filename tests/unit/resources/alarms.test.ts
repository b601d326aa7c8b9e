import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { type Alarm, alarmName, SERIES_AN_ALARM } from '../../../resources/alarm.ts';
import { alarms, alarmsOf, FUNCTION_KINDS, watchedBy } from '../../../resources/alarms.ts';
import { functionAccess } from '../../../resources/function-roles.ts';
import type { Resource } from '../../../resources/generated.ts';
import { NAMESPACE } from './emitted-metrics.ts';
import { registryOf, stageContext } from './stage-context.ts';

const RUNBOOK = join(import.meta.dirname, '..', '..', '..', 'docs', 'runbook');

/** Alarms that one page of the API lists: as many as the cost guard can silence at once. */
const ALARMS_AT_MOST = 100;

const parameters = { nameStage: 'dev' };
let small: Alarm[];
let large: Alarm[];
let resources: Record<string, Resource>;

beforeAll(async () => {
  small = alarmsOf(await watchedBy(stageContext('dev', parameters)));
  large = alarmsOf(await watchedBy(stageContext('dev', parameters, registryOf(60))));
  resources = (await alarms(stageContext('dev', parameters, registryOf(60)))).Resources ?? {};
});

describe('the alarms of a deployment', () => {
  it('each have a name of their own', () => {
    const names = large.map(alarmName);
    expect(new Set(names).size).toBe(names.length);
    expect(Object.keys(resources)).toHaveLength(names.length);
  });

  it('say what happened, what to do and where to read on, in as many characters as AWS takes', () => {
    for (const { Properties } of Object.values(resources)) {
      const text = String(Properties['AlarmDescription']);
      expect(text.length).toBeLessThanOrEqual(1024);
      // CloudFormation turns other characters of a template into question marks here and there.
      expect(text).toMatch(/^[ -~]+$/);
      expect(text).toMatch(/^\S.+[.:] \S.+ Runbook: docs\/runbook\/[a-z-]+\.md$/s);
    }
  });

  it('tell when they begin and when they are over', () => {
    for (const { Properties } of Object.values(resources)) {
      expect(Properties).toMatchObject({
        AlarmActions: [{ Ref: 'AlertTopic' }],
        OKActions: [{ Ref: 'AlertTopic' }],
      });
    }
  });

  it('look at no more metrics than an expression takes, and no further back than CloudWatch does', () => {
    for (const { series, period, periods, outOf = periods } of large) {
      expect(series.length).toBeGreaterThan(0);
      expect(series.length).toBeLessThanOrEqual(SERIES_AN_ALARM);
      // A day; a week when each point is an hour or more
      // (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html).
      expect(outOf).toBeGreaterThanOrEqual(periods);
      expect(period * outOf).toBeLessThanOrEqual(period >= 3600 ? 604_800 : 86_400);
      expect(period % 60).toBe(0);
    }
  });

  it('stay the same alarms when there are more tables', () => {
    const names = large.map(alarmName);
    for (const alarm of small) expect(names).toContain(alarmName(alarm));
  });

  it('watch each of 60 tables, in groups, and are no more than one call can silence', () => {
    const watched = large.filter(({ page }) => page === 'pipe-failures').flatMap(({ series }) => series);
    const pipes = watched.map(({ dimensions }) => (dimensions['PipeName'] as { Ref: string }).Ref);
    // 60 tables and the transaction metadata.
    expect(new Set(pipes).size).toBe(61);
    expect(large.length).toBeLessThanOrEqual(ALARMS_AT_MOST);
  });

  it('name the tables of their group', () => {
    const last = large.find((alarm) => alarmName(alarm) === 'firehose-delivery-7');
    expect(last?.what).toContain('One of: debezium.transaction.');
  });

  it('leave another’s database to its owner', async () => {
    const theirs = alarmsOf(await watchedBy(stageContext('dev', { ...parameters, database: 'existing' })));
    const left = small.filter((alarm) => !theirs.some((other) => alarmName(other) === alarmName(alarm)));
    expect(left.map(alarmName)).toEqual(['source-slot-lag', 'rds-storage']);
  });

  it('refuse a limit that is no number, by name', async () => {
    await expect(alarms(stageContext('dev', { ...parameters, runMissingHours: 'soon' }))).rejects.toThrow(
      'The parameter runMissingHours of stage dev is "soon"; it must be a number above 0.',
    );
  });
});

describe('the limits of each stage', () => {
  it.each(['dev', 'staging', 'prod'])(
    'leave %s time for two runs before one is missed or gold is old',
    async (stage) => {
      const context = stageContext(stage, { nameStage: stage });
      const { limits } = await watchedBy(context);
      const every = minutesOf(await context.param('runEvery'));
      expect(limits.runMissingHours * 60).toBeGreaterThanOrEqual(2 * every);
      expect(limits.goldFreshnessMinutes).toBeGreaterThanOrEqual(3 * every);
    },
  );

  it.each(['dev', 'staging', 'prod'])(
    'keep what fails with every run of %s one alarm, until two runs went well',
    async (stage) => {
      const context = stageContext(stage, { nameStage: stage });
      const every = minutesOf(await context.param('runEvery'));
      const { Resources = {} } = await alarms(context);
      for (const id of ['AlarmRunFailed', 'AlarmQuarantine', 'AlarmFunctionErrorsRun']) {
        const { EvaluationPeriods, DatapointsToAlarm } = (Resources[id] as Resource).Properties;
        expect(DatapointsToAlarm).toBe(1);
        // Periods of five minutes.
        expect(Number(EvaluationPeriods) * 5).toBeGreaterThanOrEqual(2 * every);
      }
    },
  );

  it('hold no alarm of functions that no run asks: it would hide the next failure, of a rotation for one', () => {
    const errors = large.filter(({ page }) => page === 'function-errors');
    expect(errors.filter(({ outOf }) => outOf !== undefined).map(({ part }) => part)).toEqual(['run']);
  });

  it.each(['dev', 'staging', 'prod'])('let nothing fall due while %s sleeps', async (stage) => {
    const context = stageContext(stage, { nameStage: stage });
    if ((await context.param('costGuard')) !== 'on') return;
    const [begins, ends] = [
      hourOf(await context.param('workBegins')),
      hourOf(await context.param('workEnds')),
    ];
    for (const name of ['maintenanceAt', 'rotatePasswordAt']) {
      const expression = await context.param(name);
      expect(hourOf(expression)).toBeGreaterThan(begins);
      expect(hourOf(expression)).toBeLessThan(ends);
      expect(expression).toMatch(/MON/);
    }
  });

  it('alarm at half of the slot’s budget', () => {
    expect(small.find(({ page }) => page === 'slot-budget')).toMatchObject({ threshold: 50, when: '>=' });
  });
});

describe('the functions’ alarms', () => {
  it('look after every function once', () => {
    const watched = Object.values(FUNCTION_KINDS).flatMap(({ functions }) => [...functions] as string[]);
    expect(watched.sort()).toEqual(Object.keys(functionAccess('p')).sort());
  });
});

describe('the runbook', () => {
  /** Told by AWS Budgets, not by an alarm. */
  const ALERTS_WITHOUT_ALARM = ['cost-budget'];
  const pages = readdirSync(RUNBOOK)
    .filter((file) => file.endsWith('.md') && file !== 'README.md')
    .map((file) => file.replace('.md', ''));

  it('has a page for each alarm, and no other', () => {
    expect([...pages].sort()).toEqual(
      [...new Set([...large.map(({ page }) => page), ...ALERTS_WITHOUT_ALARM])].sort(),
    );
  });

  it.each(pages)('says of %s how to see it, what causes it and what to do', (page) => {
    const text = readFileSync(join(RUNBOOK, `${page}.md`), 'utf8');
    expect(text).toMatch(/^# .+\n/);
    for (const part of ['## See', '## Causes', '## Do']) expect(text).toContain(`\n${part}\n`);
    expect(text).toMatch(/npx cdc .*--stage|aws [a-z0-9-]+ [a-z0-9-]+/);
  });

  it('lists every page', () => {
    const index = readFileSync(join(RUNBOOK, 'README.md'), 'utf8');
    for (const page of pages) expect(index).toContain(`(${page}.md)`);
  });
});

function hourOf(cron: string): number {
  return Number(/^cron\(\d+ (\d+) /.exec(cron)?.[1]);
}

function minutesOf(rate: string): number {
  const [, number, unit] = /^rate\((\d+) (minute|hour)s?\)$/.exec(rate) ?? [];
  if (number === undefined) throw new Error(`${rate} is no rate in minutes or hours`);
  return Number(number) * (unit === 'hour' ? 60 : 1);
}

it('uses the namespace that the functions use', async () => {
  expect((await watchedBy(stageContext('dev', parameters))).namespace).toBe(NAMESPACE);
});
