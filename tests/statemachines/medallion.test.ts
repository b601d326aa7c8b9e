import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StopExecutionCommand } from '@aws-sdk/client-sfn';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { heldTable, soundTable } from './spark-worker.ts';
import { type Ended, errorsIn, hurried, type Stack, startStack, statesIn } from './stack.ts';

const LAYERS = ['bronze', 'silver', 'gold'] as const;
type Layer = (typeof LAYERS)[number];

const THROTTLED = 'Lambda.TooManyRequestsException';

let stack: Stack;

beforeAll(async () => {
  // Retries of seconds to minutes come within one or two.
  stack = await startStack({ intervals: 60 });
  stack.land();
  await stack.run(); // preflight has warned of what isn't there; the functions are warm
});

beforeEach(async () => {
  stack.worker.clear();
  stack.land();
  forgetAlerts();
  await stack.alerts();
});

afterAll(() => stack?.close());

/** Each test's failure is news. */
function forgetAlerts(): void {
  rmSync(join(stack.bucketFolder, 'reports/latest/alerts.json'), { force: true });
}

async function expectLockFree(): Promise<void> {
  expect(await stack.lockHolder()).toBeUndefined();
}

async function lockReason({ history }: Ended): Promise<string> {
  const left = history.find(({ stateExitedEventDetails: exited }) => exited?.name === 'AcquireLock');
  return JSON.parse(left?.stateExitedEventDetails?.output ?? '{}').lock?.reason;
}

function capital(layer: Layer): string {
  return layer.charAt(0).toUpperCase() + layer.slice(1);
}

function hasEntered(state: string) {
  return (history: Ended['history']) => statesIn(history).includes(state);
}

function hasMet(error: string) {
  return (history: Ended['history']) => errorsIn({ history }).includes(error);
}

/** States of a run that ends badly, from the alert on. */
const ALERTED = ['Explain', 'IsNews', 'Alert', 'ReleaseLockAfterFailure', 'Failed'];

describe('a run with everything sound', () => {
  it('takes the layers in order, with one gate behind each, and tells what each said', async () => {
    const run = await stack.run();
    expect(run.status).toBe('SUCCEEDED');
    expect(run.states).toEqual([
      ...[
        'AssetsGiven',
        'DeployedAssets',
        'AcquireLock',
        'LockTaken',
        'Preflight',
        'SourceAccepted',
        'SomethingToDo',
      ],
      ...['Bronze', 'BronzeSucceeded', 'BronzeGate', 'BronzeVerdict'],
      ...['Silver', 'SilverSucceeded', 'SilverGate', 'SilverVerdict'],
      ...['Gold', 'GoldSucceeded', 'GoldGate', 'RunVerdict', 'ReleaseLock', 'WorkDone', 'Done'],
    ]);
    expect(JSON.parse(run.output ?? '')).toEqual({
      bronze: 'bronze is sound, 2 tables',
      silver: 'silver is sound, 2 tables',
      gold: 'gold is sound, 2 models',
    });
    expect(await stack.alerts()).toEqual([]);
    await expectLockFree();
  });

  it('gives every job its run id, its layer and the deployed assets, and keeps Glue’s own parameters from it', async () => {
    const run = await stack.run();
    expect(stack.worker.runs.map(({ job }) => job)).toEqual(LAYERS.map((layer) => `cdc-demo-test-${layer}`));
    expect(stack.worker.runsOf('silver')[0]?.args).toEqual({
      '--layer': 'silver',
      '--run_id': run.name,
      '--project': 'cdc_demo',
      '--stage': 'test',
      '--bucket': 'lake-test',
      '--lake_root': stack.config.lakeRoot,
      '--assets': 's3://deployed/assets/0123',
    });
  });

  it('takes the assets of its input through all three layers', async () => {
    const run = await stack.run({ assets: 's3://other/assets/4567' });
    expect(run.states).not.toContain('DeployedAssets');
    expect(stack.worker.runs.map(({ args }) => args['--assets'])).toEqual(
      Array(3).fill('s3://other/assets/4567'),
    );
  });

  it('passes a gate that only warns, without an alert', async () => {
    const check = {
      name: 'known_status',
      severity: 'warn' as const,
      value: 2,
      limit: 0,
      passed: false,
      detail: null,
    };
    stack.worker.plan('silver', {
      end: 'SUCCEEDED',
      report: { tables: [soundTable('public.orders', { checks: [check] })] },
    });
    const run = await stack.run();
    expect(run.status).toBe('SUCCEEDED');
    expect(JSON.parse(run.output ?? '').silver).toBe('1 warning in silver');
    expect(await stack.alerts()).toEqual([]);
  });
});

describe('preflight', () => {
  it('ends a run that has nothing to do, having given the lock back', async () => {
    await stack.run();
    // Bronze's report says that it listed everything that has landed by now.
    const listed = { at: new Date(Date.now() + 3_600_000).toISOString(), full: true, recent: [] };
    stack.worker.plan('bronze', { end: 'SUCCEEDED', report: { listing: listed } });
    await stack.run({ force: true });
    const run = await stack.run();
    expect(run.status).toBe('SUCCEEDED');
    expect(run.states.slice(-4)).toEqual(['SomethingToDo', 'ReleaseLock', 'WorkDone', 'NothingNew']);
    expect(JSON.parse(run.output ?? '')).toEqual({ nothing_new: 'nothing has landed since the last run' });
    stack.worker.plan('bronze', { end: 'SUCCEEDED' });
    expect((await stack.run({ force: true })).states.at(-1)).toBe('Done');
  });

  it('refuses a source of a later epoch, and says what to change', async () => {
    remember({ identity: { epoch: 2, system_identifier: null, timeline: null, lsn: null, cluster: null } });
    const run = await stack.run();
    forget();
    expect(run).toMatchObject({ status: 'FAILED', error: 'SourceChanged' });
    expect(run.states.slice(-6)).toEqual(['SourceAccepted', ...ALERTED]);
    expect(stack.worker.runs).toEqual([]);
    const [alert] = await stack.alerts();
    expect(alert).toContain('The epoch went back from 2 to 1');
    await expectLockFree();
  });

  it('tells once what is wrong before the landing zone, however often SNS is throttled, and runs', async () => {
    forget();
    stack.proxy.publishErrors = ['InternalError', 'Throttled', 'KMSThrottling'];
    const run = await stack.run();
    expect(run.status).toBe('SUCCEEDED');
    expect(errorsIn(run)).toEqual([
      'SNS.InternalErrorException',
      'SNS.ThrottledException',
      'SNS.KMSThrottlingException',
    ]);
    expect(run.states).toContain('WarnOfSource');
    expect(await stack.alerts()).toEqual([expect.stringContaining('connect-unreachable')]);
    stack.land();
    expect((await stack.run()).states).not.toContain('WarnOfSource');
    expect(await stack.alerts()).toEqual([]);
  });

  it('ends in an alert when the warning can’t be published', async () => {
    forget();
    stack.proxy.publishErrors = ['AuthorizationError'];
    const run = await stack.run();
    expect(run.status).toBe('FAILED');
    expect(run.states.slice(-6)).toEqual(['WarnOfSource', ...ALERTED]);
    expect(await stack.alerts()).toEqual([expect.stringContaining('SNS.AuthorizationErrorException')]);
    await expectLockFree();
  });

  it('ends in an alert when it breaks itself', async () => {
    stack.deploy('preflight', { LANDING_BUCKET: 'no-such-bucket' });
    const run = await stack.run();
    stack.deploy('preflight');
    expect(run.states.slice(-6)).toEqual(['Preflight', ...ALERTED]);
    expect(errorsIn(run)[0]).toBe('NoSuchBucket');
    expect(await stack.alerts()).toEqual([expect.stringContaining('NoSuchBucket')]);
    await expectLockFree();
  });

  it('is tried again while it is throttled', async () => {
    await stack.throttle('preflight');
    const arn = await stack.start();
    await stack.until(arn, hasMet(THROTTLED));
    await stack.unthrottle('preflight');
    expect((await stack.ended(arn)).status).toBe('SUCCEEDED');
  });
});

describe('a job', () => {
  it('waits for another run of it to end, in every layer', async () => {
    for (const layer of LAYERS) stack.worker.plan(layer, { answer: 409 });
    const run = await stack.run();
    expect(run.status).toBe('SUCCEEDED');
    expect(errorsIn(run)).toEqual(LAYERS.map(() => 'Glue.ConcurrentRunsExceededException'));
  });

  it('is started again when Glue fails inside, in every layer', async () => {
    for (const layer of LAYERS) stack.worker.plan(layer, { answer: 503 });
    const run = await stack.run();
    expect(run.status).toBe('SUCCEEDED');
    expect(errorsIn(run)).toEqual(LAYERS.map(() => 'Glue.InternalServiceException'));
  });

  it('that can’t be started in time ends the run in an alert', async () => {
    stack.worker.plan('bronze', ...Array.from({ length: 7 }, () => ({ answer: 409 })));
    const run = await stack.run();
    expect(run.status).toBe('FAILED');
    expect(errorsIn(run)).toEqual(Array(7).fill('Glue.ConcurrentRunsExceededException'));
    expect(run.states.slice(-6)).toEqual(['Bronze', ...ALERTED]);
    expect(await stack.alerts()).toEqual([expect.stringContaining('Concurrent runs exceeded')]);
  });

  it.each(LAYERS)('that fails in %s ends the run in an alert with its reason', async (layer) => {
    stack.worker.plan(layer, { end: 'FAILED', error: 'Executor lost: out of memory' });
    const run = await stack.run();
    expect(run).toMatchObject({ status: 'FAILED', error: 'RunBroke' });
    expect(run.states.slice(-6)).toEqual([capital(layer), ...ALERTED]);
    const [alert] = await stack.alerts();
    expect(alert).toContain(`Job: cdc-demo-test-${layer}, run ${stack.worker.runsOf(layer)[0]?.id}, FAILED`);
    expect(alert).toContain('Reason: Executor lost: out of memory');
    await expectLockFree();
  });

  it.each(LAYERS)('that somebody stopped in %s is no success', async (layer) => {
    stack.worker.plan(layer, { end: 'STOPPED' });
    const run = await stack.run();
    expect(run.states.slice(-7)).toEqual([
      `${capital(layer)}Succeeded`,
      `${capital(layer)}Stopped`,
      ...ALERTED,
    ]);
    expect(await stack.alerts()).toEqual([expect.stringMatching(/ended in state STOPPED/)]);
    await expectLockFree();
  });

  it('that takes too long is stopped, and the lock given back once it has', async () => {
    const impatient = await stack.putMachine('medallion', (text) => hurried(text, 'Silver'));
    stack.worker.plan('silver', { end: 'never' });
    const run = await stack.runOther(impatient);
    expect(run.states.slice(-6)).toEqual(['Silver', ...ALERTED]);
    expect(errorsIn(run).slice(0, 2)).toEqual(['States.Timeout', 'JobStillRunning']);
    expect(stack.worker.runsOf('silver')[0]?.state).toBe('STOPPED');
    expect(await stack.alerts()).toEqual([expect.stringContaining('States.Timeout')]);
    await expectLockFree();
  });

  it('whose worker dies has failed, and the alert says so', async () => {
    stack.worker.plan('bronze', { end: 'never' });
    const arn = await stack.start();
    await stack.until(arn, (history) => history.some(({ type }) => type === 'TaskSubmitted'));
    const port = Number(new URL(stack.config.workerUrl).port);
    await stack.worker.crash();
    const run = await stack.ended(arn);
    await stack.worker.listen(port);
    expect(run.status).toBe('FAILED');
    expect(await stack.alerts()).toEqual([expect.stringContaining('The Spark worker does not answer')]);
    await expectLockFree();
  });
});

describe('a gate', () => {
  it.each(LAYERS)('of %s that holds every table back ends the run', async (layer) => {
    stack.worker.plan(layer, { end: 'SUCCEEDED', report: { tables: [heldTable('public.orders')] } });
    const run = await stack.run();
    expect(run).toMatchObject({ status: 'FAILED', error: 'GateFailed' });
    const verdict = layer === 'gold' ? 'RunVerdict' : `${capital(layer)}Verdict`;
    expect(run.states.slice(-6)).toEqual([verdict, ...ALERTED]);
    const [alert] = await stack.alerts();
    expect(alert).toContain('public.orders: total_not_negative = 3, allowed 0');
    expect(alert).toContain(`s3://lake-test/reports/${run.name}/`);
    await expectLockFree();
  });

  it.each(LAYERS)(
    'of %s that holds one table back lets the rest go on, and the run ends failed',
    async (layer) => {
      stack.worker.plan(layer, {
        end: 'SUCCEEDED',
        report: { tables: [soundTable('public.users'), heldTable('public.orders')] },
      });
      const run = await stack.run();
      expect(run).toMatchObject({ status: 'FAILED', error: 'GateFailed' });
      expect(run.states.slice(-8)).toEqual(['GoldSucceeded', 'GoldGate', 'RunVerdict', ...ALERTED]);
      expect(stack.worker.runs).toHaveLength(3);
      const alerts = await stack.alerts();
      expect(alerts).toEqual([expect.stringContaining(`but ${layer} failed its gate`)]);
      expect(alerts[0]).toContain('Held back: public.orders');
    },
  );

  it('without a report fails: what the job did is unknown', async () => {
    stack.worker.plan('silver', { end: 'SUCCEEDED', report: 'none' });
    const run = await stack.run();
    expect(run.states.slice(-6)).toEqual(['SilverVerdict', ...ALERTED]);
    expect(await stack.alerts()).toEqual([expect.stringContaining('ended without a report')]);
  });

  it.each(LAYERS)('that breaks in %s ends the run in an alert that says all that is known', async (layer) => {
    stack.worker.plan(layer, {
      end: 'SUCCEEDED',
      meanwhile: () => stack.deploy('gate', { LANDING_BUCKET: 'no-such-bucket' }),
    });
    const run = await stack.run();
    stack.deploy('gate');
    expect(run.states.slice(-6)).toEqual([`${capital(layer)}Gate`, ...ALERTED]);
    expect(await stack.alerts()).toEqual([expect.stringContaining('NoSuchBucket')]);
  });

  it.each(LAYERS)('of %s is tried again while it is throttled', async (layer) => {
    stack.worker.plan(layer, { end: 'SUCCEEDED', meanwhile: () => stack.throttle('gate') });
    const arn = await stack.start();
    await stack.until(arn, hasMet(THROTTLED));
    await stack.unthrottle('gate');
    expect((await stack.ended(arn)).status).toBe('SUCCEEDED');
  });
});

describe('the alert', () => {
  it('is explained as soon as the function is free again', async () => {
    stack.worker.plan('bronze', {
      end: 'FAILED',
      error: 'Executor lost',
      meanwhile: () => stack.throttle('gate'),
    });
    const arn = await stack.start();
    await stack.until(arn, hasMet(THROTTLED));
    await stack.unthrottle('gate');
    const run = await stack.ended(arn);
    expect(run.states).not.toContain('ExplainPlainly');
    expect(await stack.alerts()).toEqual([expect.stringContaining('Executor lost')]);
  });

  it('goes out plainly when it can’t be explained', async () => {
    stack.worker.plan('bronze', {
      end: 'FAILED',
      error: 'Executor lost',
      meanwhile: () => stack.deploy('gate', { LANDING_BUCKET: '' }),
    });
    const run = await stack.run();
    stack.deploy('gate');
    expect(run.states.slice(-5)).toEqual(['Explain', 'ExplainPlainly', ...ALERTED.slice(2)]);
    expect(run).toMatchObject({ status: 'FAILED', error: 'RunBroke', cause: 'The medallion failed' });
    expect(await stack.alerts()).toEqual([expect.stringContaining('Executor lost')]);
  });

  it('of a failure that goes on is sent once, and another failure at once', async () => {
    const fails = async (error: string) => {
      stack.worker.clear();
      stack.worker.plan('bronze', { end: 'FAILED', error });
      const run = await stack.run();
      expect(run).toMatchObject({ status: 'FAILED', error: 'RunBroke' });
      await expectLockFree();
      return stack.alerts();
    };
    expect(await fails('Executor 3 lost')).toEqual([expect.stringContaining('Executor 3 lost')]);
    expect(await fails('Executor 4 lost')).toEqual([]);
    expect(await fails('No such bucket')).toEqual([expect.stringContaining('No such bucket')]);
    expect(await fails('Executor 5 lost')).toEqual([]);
  });

  it('is sent when nobody can read what was sent before', async () => {
    writeFileSync(join(stack.bucketFolder, 'reports/latest/alerts.json'), 'no JSON');
    stack.worker.plan('bronze', { end: 'FAILED', error: 'Executor lost' });
    await stack.run();
    expect(await stack.alerts()).toEqual([expect.stringContaining('Executor lost')]);
  });

  it('is sent again while SNS is throttled', async () => {
    stack.worker.plan('bronze', { end: 'FAILED', error: 'Executor lost' });
    stack.proxy.publishErrors = ['Throttled', 'InternalError'];
    const run = await stack.run();
    expect(errorsIn(run)).toEqual(
      expect.arrayContaining(['SNS.ThrottledException', 'SNS.InternalErrorException']),
    );
    expect(await stack.alerts()).toHaveLength(1);
  });

  it('that can’t be sent keeps neither the lock nor the failure', async () => {
    stack.worker.plan('bronze', { end: 'FAILED', error: 'Executor lost' });
    stack.proxy.publishErrors = ['AuthorizationError'];
    const run = await stack.run();
    expect(run).toMatchObject({ status: 'FAILED', error: 'RunBroke' });
    expect(run.states.slice(-3)).toEqual(ALERTED.slice(2));
    expect(await stack.alerts()).toEqual([]);
    await expectLockFree();
  });
});

describe('the lock', () => {
  it('ends a second start at once, with a word about the first', async () => {
    stack.worker.plan('bronze', { end: 'never' });
    const first = await stack.start({}, 'first-of-two');
    await stack.until(first, (history) => history.some(({ type }) => type === 'TaskSubmitted'));
    const second = await stack.run();
    expect(second.status).toBe('SUCCEEDED');
    expect(second.states).toEqual([
      'AssetsGiven',
      'DeployedAssets',
      'AcquireLock',
      'LockTaken',
      'AlreadyRunning',
    ]);
    expect(JSON.parse(second.output ?? '')).toEqual({
      skipped: expect.stringMatching(/^another run, first-of-two, is in progress since /),
    });
    stack.worker.finish('bronze');
    expect((await stack.ended(first)).status).toBe('SUCCEEDED');
    await expectLockFree();
  });

  it('of a run that was stopped is taken over, and its job has been stopped with it', async () => {
    stack.worker.plan('bronze', { end: 'never' });
    const stopped = await stack.start({}, 'stopped-by-hand');
    await stack.until(stopped, (history) => history.some(({ type }) => type === 'TaskSubmitted'));
    await stack.sfn.send(new StopExecutionCommand({ executionArn: stopped, cause: 'by hand' }));
    expect((await stack.ended(stopped)).status).toBe('ABORTED');
    await until(() => stack.worker.runsOf('bronze')[0]?.state === 'STOPPED');
    const next = await stack.run();
    expect(next.status).toBe('SUCCEEDED');
    expect(await lockReason(next)).toBe(
      'taken over from stopped-by-hand, which ended without giving it back',
    );
    await expectLockFree();
  });

  it('of a run that has ended stays while a job of it still writes', async () => {
    stack.worker.plan('bronze', { end: 'never', deaf: true });
    const stopped = await stack.start({}, 'left-a-job');
    await stack.until(stopped, (history) => history.some(({ type }) => type === 'TaskSubmitted'));
    await stack.sfn.send(new StopExecutionCommand({ executionArn: stopped }));
    const early = await stack.run();
    expect(JSON.parse(early.output ?? '').skipped).toMatch(
      /^run left-a-job has ended, but its job run jr_\S+ of cdc-demo-test-bronze is still on$/,
    );
    stack.worker.finish('bronze');
    expect(await lockReason(await stack.run())).toMatch(/^taken over from left-a-job/);
  });

  it('is asked for again while its function is throttled', async () => {
    await stack.throttle('run-lock');
    const arn = await stack.start();
    await stack.until(arn, hasMet(THROTTLED));
    await stack.unthrottle('run-lock');
    expect((await stack.ended(arn)).status).toBe('SUCCEEDED');
  });

  it('that can’t be taken ends the run in an alert before anything is touched', async () => {
    stack.deploy('run-lock', { LOCK_TABLE: 'no-such-table' });
    const run = await stack.run();
    stack.deploy('run-lock');
    expect(run.states.slice(2)).toEqual(['AcquireLock', ...ALERTED]);
    expect(await stack.alerts()).toEqual([expect.stringContaining('ResourceNotFoundException')]);
    expect(stack.worker.runs).toEqual([]);
  });

  it('is given back as soon as its function is free again', async () => {
    stack.worker.plan('gold', { end: 'SUCCEEDED', meanwhile: () => stack.throttle('run-lock') });
    const arn = await stack.start();
    await stack.until(arn, hasMet(THROTTLED));
    await stack.unthrottle('run-lock');
    const run = await stack.ended(arn);
    expect(run.status).toBe('SUCCEEDED');
    await expectLockFree();
  });

  it('that can’t be given back by a good run alerts, and the next run takes it over', async () => {
    stack.worker.plan('gold', {
      end: 'SUCCEEDED',
      meanwhile: () => stack.deploy('run-lock', { LOCK_TABLE: 'no-such-table' }),
    });
    const run = await stack.run();
    stack.deploy('run-lock');
    expect(run.states.slice(-6)).toEqual(['ReleaseLock', ...ALERTED]);
    expect(run.status).toBe('FAILED');
    expect(await stack.alerts()).toHaveLength(1);
    expect(await lockReason(await stack.run())).toMatch(/^taken over from /);
  });

  it('is given back by a failed run as soon as its function is free again', async () => {
    stack.worker.plan('bronze', { end: 'FAILED', meanwhile: () => stack.throttle('run-lock') });
    const arn = await stack.start();
    await stack.until(
      arn,
      (history) => hasEntered('ReleaseLockAfterFailure')(history) && hasMet(THROTTLED)(history),
    );
    await stack.unthrottle('run-lock');
    expect((await stack.ended(arn)).error).toBe('RunBroke');
    await expectLockFree();
  });
});

/** What preflight keeps from run to run. */
function remember(memory: { identity: object }): void {
  const folder = join(stack.bucketFolder, 'reports/latest');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'source.json'), JSON.stringify({ warned: [], ...memory }));
}

function forget(): void {
  rmSync(join(stack.bucketFolder, 'reports/latest/source.json'), { force: true });
}

async function until(happened: () => boolean): Promise<void> {
  for (
    const deadline = Date.now() + 60_000;
    !happened();
    await new Promise((resolve) => setTimeout(resolve, 20))
  ) {
    if (Date.now() > deadline) throw new Error('It did not happen within 60 s');
  }
}

afterEach(() => {
  stack.proxy.publishErrors = [];
});
