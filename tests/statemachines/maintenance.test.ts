import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { soundTable } from './spark-worker.ts';
import { type Ended, errorsIn, hurried, type Stack, startStack, statesIn } from './stack.ts';

const THROTTLED = 'Lambda.TooManyRequestsException';
const ALERTED = ['Explain', 'Alert', 'ReleaseLockAfterFailure', 'Failed'];

let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ intervals: 60 });
  stack.land();
  await stack.run(); // preflight has warned of what isn't there
});

beforeEach(async () => {
  stack.worker.clear();
  await stack.alerts();
});

afterAll(() => stack?.close());

function maintain(input: object = {}): Promise<Ended> {
  return stack.runOther(stack.platform.maintenanceArn, input);
}

function hasEntered(state: string) {
  return (history: Ended['history']) => statesIn(history).includes(state);
}

async function expectLockFree(): Promise<void> {
  expect(await stack.lockHolder()).toBeUndefined();
}

describe('maintenance', () => {
  it('runs its job under the lake’s lock, judges its report and says what the gate said', async () => {
    let holder: string | undefined;
    stack.worker.plan('maintenance', {
      end: 'SUCCEEDED',
      meanwhile: async () => {
        holder = await stack.lockHolder();
      },
    });
    const run = await maintain();
    expect(run.status).toBe('SUCCEEDED');
    expect(JSON.parse(run.output ?? '')).toEqual({
      maintenance: expect.stringContaining('maintenance is sound'),
    });
    expect(run.states).toEqual([
      ...['AssetsGiven', 'DeployedAssets', 'FirstTry', 'AcquireLock', 'LockTaken'],
      ...['Maintain', 'MaintenanceSucceeded', 'MaintenanceGate', 'Verdict', 'ReleaseLock', 'Done'],
    ]);
    expect(holder).toBe(run.executionArn);
    expect(stack.worker.runsOf('maintenance')[0]?.args).toMatchObject({
      '--layer': 'maintenance',
      '--run_id': run.name,
      '--assets': 's3://deployed/assets/0123',
      '--retention_days': '1',
    });
    await expectLockFree();
    expect(await stack.alerts()).toEqual([]);
  });

  it('takes the assets of its input', async () => {
    const run = await maintain({ assets: 's3://other/assets/4567' });
    expect(run.states).not.toContain('DeployedAssets');
    expect(stack.worker.runsOf('maintenance')[0]?.args['--assets']).toBe('s3://other/assets/4567');
  });

  it('waits while a medallion runs, and then does its work', async () => {
    stack.land();
    stack.worker.plan('silver', { end: 'never' });
    const medallion = await stack.start();
    await stack.until(medallion, hasEntered('Silver'));
    const maintenance = await stack.startOther(stack.platform.maintenanceArn);
    await stack.until(maintenance, hasEntered('LakeInUse'));
    expect(stack.worker.runsOf('maintenance')).toEqual([]);
    stack.worker.finish('silver');
    expect((await stack.ended(medallion)).status).toBe('SUCCEEDED');
    const run = await stack.ended(maintenance);
    expect(run.status).toBe('SUCCEEDED');
    expect(run.states.at(-1)).toBe('Done');
    // Nothing of it before the last layer had ended.
    const jobs = stack.worker.runs.map(({ job }) => job.replace('cdc-demo-test-', ''));
    expect(jobs).toEqual(['bronze', 'silver', 'gold', 'maintenance']);
    await expectLockFree();
  });

  it('makes a medallion that comes meanwhile end at once, which the next one makes good', async () => {
    stack.land();
    stack.worker.plan('maintenance', { end: 'never' });
    const maintenance = await stack.startOther(stack.platform.maintenanceArn);
    await stack.until(maintenance, hasEntered('Maintain'));
    const medallion = await stack.run();
    expect(JSON.parse(medallion.output ?? '')).toEqual({ skipped: expect.stringContaining('in progress') });
    stack.worker.finish('maintenance');
    expect((await stack.ended(maintenance)).status).toBe('SUCCEEDED');
    expect((await stack.run()).states).toContain('Gold');
    await expectLockFree();
  });
});

describe('a lake that is never free', () => {
  it('makes maintenance give up with a clear result, without an alert', async () => {
    const holder = await stack.putMachine('maintenance', (text) =>
      text.replace('"NumericGreaterThanEquals":90', '"NumericGreaterThanEquals":2'),
    );
    stack.land();
    stack.worker.plan('bronze', { end: 'never' });
    const medallion = await stack.start();
    await stack.until(medallion, hasEntered('Bronze'));
    const run = await stack.runOther(holder);
    expect(run.status).toBe('SUCCEEDED');
    expect(JSON.parse(run.output ?? '')).toEqual({
      skipped: expect.stringMatching(
        /^the lake was not free in 2 tries, another run, run-\d+, is in progress/,
      ),
    });
    expect(await stack.alerts()).toEqual([]);
    expect(stack.worker.runsOf('maintenance')).toEqual([]);
    stack.worker.finish('bronze');
    await stack.ended(medallion);
  });
});

describe('what goes wrong', () => {
  afterEach(async () => {
    for (const name of ['run-lock', 'gate']) await stack.unthrottle(name);
    stack.proxy.publishErrors = [];
  });

  it('in a table ends the run failed, with an alert that names it', async () => {
    const table = 'cdc_demo_test_silver_orders';
    const check = { name: 'compaction', severity: 'fail' as const, value: 1, limit: 0, passed: false };
    stack.worker.plan('maintenance', {
      end: 'SUCCEEDED',
      report: { tables: [soundTable(table, { checks: [{ ...check, detail: 'a file is gone' }] })] },
    });
    const run = await maintain();
    expect(run).toMatchObject({ status: 'FAILED', error: 'GateFailed' });
    expect(run.states.slice(-4)).toEqual(ALERTED);
    const [alert] = await stack.alerts();
    expect(alert).toContain('Maintenance went on to its end, but maintenance failed its gate');
    expect(alert).toContain(`${table}: compaction = 1, allowed 0 (a file is gone)`);
    await expectLockFree();
  });

  it('in the job is told with Glue’s reason', async () => {
    stack.worker.plan('maintenance', { end: 'FAILED', error: 'no memory' });
    const run = await maintain();
    expect(run).toMatchObject({ status: 'FAILED', error: 'RunBroke' });
    expect((await stack.alerts())[0]).toContain('Reason: no memory');
    await expectLockFree();
  });

  it('does not take a stopped job for a good one', async () => {
    stack.worker.plan('maintenance', { end: 'STOPPED' });
    const run = await maintain();
    expect(run.states).toContain('MaintenanceStopped');
    expect(run.status).toBe('FAILED');
    expect((await stack.alerts())[0]).toContain('ended in state STOPPED');
    await expectLockFree();
  });

  it('with Glue’s concurrency is tried again', async () => {
    stack.worker.plan('maintenance', { answer: 409 }, { end: 'SUCCEEDED' });
    const run = await maintain();
    expect(run.status).toBe('SUCCEEDED');
    expect(errorsIn(run)).toEqual(['Glue.ConcurrentRunsExceededException']);
  });

  it('past its time ends failed, and the lock outlives the job that goes on', async () => {
    const impatient = await stack.putMachine('maintenance', (text) => hurried(text, 'Maintain'));
    stack.worker.plan('maintenance', { end: 'never' });
    const run = await stack.runOther(impatient);
    expect(run.status).toBe('FAILED');
    expect(errorsIn(run)).toContain('States.Timeout');
    expect((await stack.alerts())[0]).toContain('States.Timeout');
    await expectLockFree();
  });

  it('at the gate, for good, is told plainly', async () => {
    stack.worker.plan('maintenance', { end: 'SUCCEEDED', meanwhile: () => stack.throttle('gate') });
    const run = await maintain();
    expect(run).toMatchObject({ status: 'FAILED', error: 'RunBroke', cause: 'Maintenance failed' });
    expect(run.states).toContain('ExplainPlainly');
    expect(errorsIn(run).filter((error) => error === THROTTLED).length).toBeGreaterThanOrEqual(5);
    expect((await stack.alerts())[0]).toContain(run.name);
    await expectLockFree();
  });

  it('with the lock’s function ends the run before it did anything', async () => {
    await stack.throttle('run-lock');
    const run = await maintain();
    expect(run.status).toBe('FAILED');
    expect(run.states).not.toContain('Maintain');
    expect(await stack.alerts()).toHaveLength(1);
  });

  it('at the alert keeps nothing from giving the lock back', async () => {
    stack.worker.plan('maintenance', { end: 'FAILED', error: 'x' });
    stack.proxy.publishErrors = Array(10).fill('InternalError');
    const run = await maintain();
    expect(run.status).toBe('FAILED');
    await expectLockFree();
  });

  it('when the lock can’t be given back leaves it to whoever comes next', async () => {
    stack.worker.plan('maintenance', { end: 'FAILED', meanwhile: () => stack.throttle('run-lock') });
    const run = await maintain();
    expect(run.status).toBe('FAILED');
    expect(await stack.lockHolder()).toBe(run.executionArn);
    await stack.unthrottle('run-lock');
    expect((await maintain()).status).toBe('SUCCEEDED');
    await expectLockFree();
  });
});
