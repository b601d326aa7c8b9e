import { setTimeout as pause } from 'node:timers/promises';
import { ListExecutionsCommand } from '@aws-sdk/client-sfn';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Answer, Asked } from './planned-functions.ts';
import { type Ended, type Stack, startStack, statesIn } from './stack.ts';

const ALERTED = ['Explain', 'Alert', 'ReleaseLockAfterFailure', 'Failed'];
const SIGNALLED: Answer = {
  result: { signal: 's1', table: 'public.orders', rows: 50_000, lsn: '26724400' },
};

const WHOLE: Answer = { result: { whole: true, reason: 'Debezium read to its end' } };

/** What the connector answers, look after look; the last one again and again. */
let looks: Answer[];
let signal: Answer;
/** How Debezium says that it ended, as the events function reads it; the last one again and again. */
let ends: Answer[];
let stack: Stack;
let impatient: string;

function look(seen: boolean, running: boolean, connector = 'running'): Answer {
  const tables = running ? ['public.orders'] : [];
  return { result: { condition: { state: connector, error: null }, incremental: { seen, running, tables } } };
}

const UNSEEN = look(false, false);
const RUNNING = look(true, true);
const DONE = look(true, false);

beforeAll(async () => {
  stack = await startStack({ intervals: 60 });
  stack.plan('source', 'connector', 'events');
  stack.land();
  await stack.run(); // preflight has warned of what isn't there
  impatient = await stack.putMachine('backfill', (text) =>
    text.replace('"NumericGreaterThanEquals":1440', '"NumericGreaterThanEquals":2'),
  );
});

beforeEach(async () => {
  stack.planned.asked.length = 0;
  looks = [DONE];
  signal = SIGNALLED;
  ends = [WHOLE];
  stack.planned.answer = (name) => {
    if (name === 'source') return signal;
    const planned = name === 'connector' ? looks : ends;
    return (planned.length > 1 ? planned.shift() : planned[0]) as Answer;
  };
  await stack.alerts();
});

afterAll(() => stack?.close());

function backfill(input: object, machine = stack.platform.backfillArn): Promise<Ended> {
  return stack.runOther(machine, input);
}

function askedOf(name: string): Asked[] {
  return stack.planned.asked.filter((asked) => asked.function === name);
}

async function medallions(): Promise<string[]> {
  const asked = { stateMachineArn: stack.platform.medallionArn, maxResults: 1000 };
  const { executions = [] } = await stack.sfn.send(new ListExecutionsCommand(asked));
  return executions.map(({ executionArn }) => executionArn ?? '');
}

/** Waits until the medallions that backfills started have ended. */
async function lakeFree(): Promise<void> {
  for (const deadline = Date.now() + 180_000; (await stack.lockHolder()) !== undefined; await pause(50)) {
    if (Date.now() > deadline) throw new Error(`${await stack.lockHolder()} keeps the lake`);
  }
}

async function expectLockFree(): Promise<void> {
  expect(await stack.lockHolder('backfill')).toBeUndefined();
}

describe('a backfill', () => {
  it('signals, looks until every row is in Kafka, starts the medallion and says how it went', async () => {
    looks = [UNSEEN, RUNNING, DONE];
    const run = await backfill({ table: 'orders', condition: 'id > 7' });
    expect(run.status).toBe('SUCCEEDED');
    const output = JSON.parse(run.output ?? '') as { medallion: string };
    expect(output).toEqual({
      request: { action: 'signal', table: 'orders', condition: 'id > 7' },
      rows_in_table: 50_000,
      verdict: expect.stringContaining('public.orders are in Kafka after 3 looks'),
      medallion: expect.stringMatching(/:execution:cdc-demo-test-medallion:backfill-[0-9a-f]{32}$/),
    });
    expect(await medallions()).toContain(output.medallion);
    expect(askedOf('source')).toEqual([
      {
        function: 'source',
        action: 'signal',
        table: 'orders',
        condition: 'id > 7',
      },
    ]);
    expect(askedOf('connector')).toEqual(
      Array(3).fill({ function: 'connector', action: 'snapshot-state', after: '26724400' }),
    );
    expect(askedOf('events')).toEqual([{ function: 'events', action: 'snapshot-end', signal: 's1' }]);
    await expectLockFree();
    expect(await stack.alerts()).toEqual([]);
    await stack.ended(output.medallion);
  });

  it('without a condition reads all rows', async () => {
    const run = await backfill({ table: 'orders' });
    expect(run).toMatchObject({ status: 'SUCCEEDED' });
    expect(askedOf('source')).toEqual([{ function: 'source', action: 'signal', table: 'orders' }]);
  });

  it.each([[{}], [{ table: 7 }]])('refuses the input %j', async (input) => {
    const run = await backfill(input);
    expect(run).toMatchObject({
      status: 'FAILED',
      error: 'BadInput',
      cause: expect.stringContaining('"orders"'),
    });
  });

  it('leaves the lake to the medallion: its lock is its own', async () => {
    looks = [RUNNING];
    const execution = await stack.startOther(stack.platform.backfillArn, { table: 'orders' });
    await stack.until(execution, (history) => statesIn(history).includes('SnapshotInProgress'));
    expect(await stack.lockHolder('backfill')).toBe(execution);
    await lakeFree();
    stack.land();
    expect((await stack.run()).states).toContain('Gold');
    looks = [DONE];
    expect((await stack.ended(execution)).status).toBe('SUCCEEDED');
    await expectLockFree();
  });

  it('ends at once while another one is in progress', async () => {
    looks = [RUNNING];
    const first = await stack.startOther(stack.platform.backfillArn, { table: 'orders' });
    await stack.until(first, (history) => statesIn(history).includes('SnapshotInProgress'));
    const second = await backfill({ table: 'users' });
    expect(JSON.parse(second.output ?? '')).toEqual({ skipped: expect.stringContaining('in progress') });
    expect(askedOf('source')).toHaveLength(1);
    looks = [DONE];
    expect((await stack.ended(first)).status).toBe('SUCCEEDED');
  });

  it('leaves alone the jobs of another machine’s execution with the same name', async () => {
    await lakeFree();
    stack.worker.clear();
    stack.land();
    stack.worker.plan('bronze', { end: 'never' });
    const medallion = await stack.start({}, 'same-name');
    await stack.until(medallion, (history) => statesIn(history).includes('Bronze'));
    const namesake = await stack.startOther(stack.platform.backfillArn, { table: 'orders' }, 'same-name');
    expect((await stack.ended(namesake)).status).toBe('SUCCEEDED');
    expect(stack.worker.runsOf('bronze')[0]?.state).toBe('RUNNING');
    stack.worker.finish('bronze');
    expect((await stack.ended(medallion)).status).toBe('SUCCEEDED');
  });

  it('goes on while Kafka Connect is away or its task has failed', async () => {
    looks = [
      { error: { name: 'Error', message: 'Kafka Connect does not answer' } },
      look(false, false, 'failed'),
      DONE,
    ];
    const run = await backfill({ table: 'orders' });
    expect(run.status).toBe('SUCCEEDED');
    expect(run.states).toContain('LookFailed');
    expect(run.states.filter((name) => name === 'SnapshotInProgress')).toHaveLength(2);
  });
});

it('asks again how it ended when Kafka does not say at once', async () => {
  ends = [{ error: { name: 'Error', message: 'no broker answers' } }, WHOLE];
  const run = await backfill({ table: 'orders' });
  expect(run.status).toBe('SUCCEEDED');
  expect(askedOf('events')).toHaveLength(2);
});

describe('what goes wrong', () => {
  afterEach(async () => {
    for (const name of ['run-lock', 'gate']) await stack.unthrottle(name);
  });

  async function expectFailed(run: Ended, words: string): Promise<void> {
    expect(run.status).toBe('FAILED');
    expect(run.states.slice(-4)).toEqual(ALERTED);
    const alerts = await stack.alerts();
    expect(alerts).toHaveLength(1);
    expect(alerts[0]).toContain('The backfill broke');
    expect(alerts[0]).toContain(words);
    await expectLockFree();
  }

  it('with the signal is told in the function’s words', async () => {
    signal = {
      error: { name: 'Error', message: 'nothing is not a captured table; tables.yml lists orders' },
    };
    const run = await backfill({ table: 'nothing' });
    await expectFailed(run, 'nothing is not a captured table');
    expect(run.states).not.toContain('LookAtSnapshot');
  });

  it.each(['stopped', 'absent'])('with a connector that is %s is told at once', async (connector) => {
    looks = [look(false, false, connector)];
    await expectFailed(await backfill({ table: 'orders' }), `waits for a connector that is ${connector}`);
  });

  it('at a row, which Debezium passes over, is told and shown with its reason', async () => {
    ends = [{ result: { whole: false, reason: 'Debezium gave it up after 7 rows (SQL_EXCEPTION)' } }];
    const run = await backfill({ table: 'orders', condition: '1 / quantity > 0' });
    const reason = 'public.orders is not whole - Debezium gave it up after 7 rows (SQL_EXCEPTION)';
    expect(run.cause).toContain(reason);
    expect(run.states).not.toContain('StartMedallion');
    await expectFailed(run, reason);
  });

  it('where Debezium’s end is not to be read is told', async () => {
    ends = [{ error: { name: 'Error', message: 'no broker answers' } }];
    await expectFailed(await backfill({ table: 'orders' }), 'no broker answers');
    expect(askedOf('events')).toHaveLength(6);
  });

  it('for too long is told with what is known', async () => {
    looks = [RUNNING];
    const run = await backfill({ table: 'orders' }, impatient);
    await expectFailed(run, 'is not done after 8 hours, the connector is running');
    expect(askedOf('connector')).toHaveLength(2);
  });

  it('with the medallion’s start is told', async () => {
    const broken = await stack.putMachine('backfill', (text) =>
      text.replaceAll(':stateMachine:cdc-demo-test-medallion', ':stateMachine:nobody'),
    );
    await expectFailed(await backfill({ table: 'orders' }, broken), 'nobody');
  });

  it('at the gate function is told plainly', async () => {
    signal = { error: { name: 'Error', message: 'no route to the source' } };
    await stack.throttle('gate');
    const run = await backfill({ table: 'orders' });
    expect(run).toMatchObject({ status: 'FAILED', cause: expect.stringContaining('no route to the source') });
    expect(run.states).toContain('ExplainPlainly');
    expect((await stack.alerts())[0]).toContain('no route to the source');
    await expectLockFree();
  });
});
