import { fileURLToPath } from 'node:url';
import { CreateStateMachineCommand } from '@aws-sdk/client-sfn';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ACCOUNT } from '../../local/aws/lambda/function.ts';
import { clientSettings } from '../../local/aws/platform.ts';
import { loadStateMachine } from '../../local/aws/state-machine.ts';
import { CostGuardStage, costGuardSubstitutions } from './cost-guard-stage.ts';
import type { Answer } from './planned-functions.ts';
import { type Ended, type Stack, startStack, statesIn } from './stack.ts';

const FILE = fileURLToPath(new URL('../../statemachines/cost-guard.asl.yml', import.meta.url));
const SCALE = { intervals: 60 };
/** Looks before it gives up, instead of 60. */
const LOOKS = 3;
/** Pipes in a page of the list, instead of 100, and pipes of the stage. */
const PAGE = 2;
const PIPES = 3;

const RUNNING: Answer = { result: { condition: { state: 'running' } } };
const DOWN: Answer = { error: { name: 'Error', message: 'Kafka Connect does not answer' } };

let stack: Stack;
let stage: CostGuardStage;
let machines: Record<'own' | 'existing', string>;

beforeAll(async () => {
  stack = await startStack(SCALE);
  stage = new CostGuardStage(clientSettings(stack.endpoint.url), stack.config);
  await stage.create(PIPES);
  stack.plan('connector');
  machines = { own: await create('own'), existing: await create('existing') };
});

beforeEach(async () => {
  stack.planned.asked.length = 0;
  stack.planned.answer = () => RUNNING;
  await stack.alerts();
});

afterAll(() => stack?.close());

async function create(database: 'own' | 'existing'): Promise<string> {
  const given = costGuardSubstitutions(stack.config, stack.platform.alertTopicArn, database);
  const { stateMachineArn } = await stack.sfn.send(
    new CreateStateMachineCommand({
      name: `cost-guard-${database}`,
      definition: loadStateMachine(FILE, given, SCALE)
        .replaceAll('"NumericGreaterThanEquals":60', `"NumericGreaterThanEquals":${LOOKS}`)
        .replaceAll('"Limit":100', `"Limit":${PAGE}`),
      roleArn: `arn:aws:iam::${ACCOUNT}:role/cost-guard`,
    }),
  );
  return stateMachineArn as string;
}

async function guard(input: object, machine: 'own' | 'existing' = 'own'): Promise<Ended> {
  const ended = await stack.runOther(machines[machine], input);
  expect(await stack.lockHolder('cost-guard')).toBeUndefined();
  return ended;
}

function outputOf(run: Ended): Record<string, unknown> {
  const told = run.history.flatMap(({ taskFailedEventDetails: failed }) => failed?.cause ?? []);
  if (run.status !== 'SUCCEEDED') throw new Error(`It ended at ${run.states.slice(-6)}: ${told}`);
  return JSON.parse(run.output ?? '') as Record<string, unknown>;
}

const AWAKE = {
  alarms: [true, true],
  schedules: Array(2).fill('ENABLED'),
  rules: Array(3).fill('ENABLED'),
  pipes: Array(PIPES).fill('RUNNING'),
  desiredCount: 1,
  database: 'available',
};
const ASLEEP = {
  alarms: [false, false],
  schedules: Array(2).fill('DISABLED'),
  rules: Array(3).fill('DISABLED'),
  pipes: Array(PIPES).fill('STOPPED'),
  desiredCount: 0,
  database: 'stopped',
};

describe('pausing', () => {
  it('puts to sleep what can, each thing after those that need it, and says what goes on costing', async () => {
    const schedule = await stage.schedule('medallion');
    stack.proxy.alarmsPerPage = 1;
    const run = await guard({ action: 'pause' });
    stack.proxy.alarmsPerPage = null;
    expect(outputOf(run)).toMatchObject({
      paused: expect.stringContaining('database'),
      still_costing: expect.stringContaining('Kafka brokers'),
      long_pause: expect.stringContaining('after 7 days'),
      database: expect.stringMatching(/^stop/),
    });
    expect(await stage.state()).toEqual(ASLEEP);
    const steps = [
      'SilenceAlarms',
      'SilenceAlarms',
      'DisableSchedules',
      'DisableRules',
      'StopPipes',
      'StopPipes',
      'StopDebezium',
      'StopDatabase',
    ];
    expect(run.states.filter((state) => steps.includes(state))).toEqual(steps);
    expect(await stage.schedule('medallion')).toEqual({ ...schedule, State: 'DISABLED' });
    expect(await stage.others()).toEqual({ pipe: 'RUNNING', alarm: true });
    expect((await stage.schedule('cost-guard-resume'))['State']).toBe('ENABLED');
  });

  it('again changes nothing', async () => {
    const run = await guard({ action: 'pause' });
    outputOf(run);
    for (const step of ['SilenceAlarms', 'DisableSchedule', 'DisableRule', 'StopPipe']) {
      expect(run.states).not.toContain(step);
    }
    expect(run.states).not.toContain('StopDatabase');
    expect(await stage.state()).toEqual(ASLEEP);
  });
});

describe('resuming', () => {
  it('starts the database, then Debezium, and the pipes only when its connector runs', async () => {
    const answers = [DOWN, { result: { condition: { state: 'failed' } } }];
    stack.planned.answer = () => answers.shift() ?? RUNNING;
    const run = await guard({ action: 'resume' });
    expect(outputOf(run)).toMatchObject({ resumed: expect.stringContaining('pipes') });
    expect(await stage.state()).toEqual(AWAKE);
    const steps = [
      'WakeAlarms',
      'StartDatabase',
      'StartDebezium',
      'StartPipes',
      'StartPipes',
      'EnableSchedules',
      'EnableRules',
    ];
    expect(run.states.filter((state) => steps.includes(state))).toEqual(steps);
    expect(run.states.filter((state) => state === 'LookAtConnector')).toHaveLength(3);
    expect(run.states.indexOf('ConnectorComing')).toBeLessThan(run.states.indexOf('StartPipes'));
    expect(stack.planned.actionsOf('connector')).toEqual(['restart', 'restart', 'restart']);
    expect(await stack.alerts()).toEqual([]);
  });

  it('again changes nothing', async () => {
    const run = await guard({ action: 'resume' });
    outputOf(run);
    expect(run.states).not.toContain('StartDatabase');
    for (const step of ['WakeAlarms', 'FindPipes', 'StartPipe', 'EnableSchedule', 'EnableRule']) {
      expect(run.states).not.toContain(step);
    }
    expect(await stage.state()).toEqual(AWAKE);
  });

  it('gives up with an alert when the connector does not come back, and does the rest when started again', async () => {
    outputOf(await guard({ action: 'pause' }));
    stack.planned.answer = () => DOWN;
    const run = await guard({ action: 'resume' });
    expect(run).toMatchObject({ status: 'FAILED', error: 'RunBroke' });
    expect(stack.planned.actionsOf('connector')).toHaveLength(LOOKS);
    const [alert] = await stack.alerts();
    expect(alert).toContain("Awake: alarms' actions, database.");
    expect(alert).toContain('ConnectorNotBack');
    expect(alert).toContain('Kafka Connect does not answer');
    expect(await stage.state()).toEqual({
      ...AWAKE,
      schedules: ASLEEP.schedules,
      rules: ASLEEP.rules,
      pipes: ASLEEP.pipes,
    });
    stack.planned.answer = () => RUNNING;
    outputOf(await guard({ action: 'resume' }));
    expect(await stage.state()).toEqual(AWAKE);
  });
});

describe('what somebody had stopped before the pause', () => {
  afterEach(() => stage.startByHand());

  it('stays so when the rest is resumed, also when it took two pauses and two resumes', async () => {
    await stage.stopByHand();
    const before = await stage.state();
    expect(before).toEqual({
      ...AWAKE,
      alarms: [true, false],
      schedules: ['ENABLED', 'DISABLED'],
      rules: ['ENABLED', 'DISABLED', 'ENABLED'],
      pipes: ['RUNNING', 'STOPPED', 'RUNNING'],
    });
    stack.proxy.refused = 'UpdateService';
    expect((await guard({ action: 'pause' })).status).toBe('FAILED');
    stack.proxy.refused = null;
    outputOf(await guard({ action: 'pause' }));
    expect(await stage.state()).toEqual(ASLEEP);
    stack.planned.answer = () => DOWN;
    expect((await guard({ action: 'resume' })).status).toBe('FAILED');
    stack.planned.answer = () => RUNNING;
    outputOf(await guard({ action: 'resume' }));
    expect(await stage.state()).toEqual(before);
  });

  it('is told from what the guard stopped last time: its notes do not outlive the resume', async () => {
    outputOf(await guard({ action: 'pause' }));
    outputOf(await guard({ action: 'resume' }));
    await stage.stopByHand();
    const before = await stage.state();
    outputOf(await guard({ action: 'resume' }));
    expect(await stage.state()).toEqual(before);
  });
});

describe('a pipe that left the registry while it slept', () => {
  it('is no obstacle to a resume', async () => {
    outputOf(await guard({ action: 'pause' }));
    await stage.removePipe(2);
    outputOf(await guard({ action: 'resume' }));
    expect(await stage.state()).toEqual({ ...AWAKE, pipes: AWAKE.pipes.slice(1) });
    await stage.restorePipe(2);
    expect(await stage.state()).toEqual(AWAKE);
  });
});

describe('a pause that fails half way', () => {
  afterEach(async () => {
    stack.proxy.refused = null;
    outputOf(await guard({ action: 'resume' }));
    expect(await stage.state()).toEqual(AWAKE);
  });

  it('has the alarms and what looks after the path work again, and says what sleeps and what does not', async () => {
    stack.proxy.refused = 'UpdateService';
    const run = await guard({ action: 'pause' });
    expect(run).toMatchObject({ status: 'FAILED', error: 'RunBroke' });
    expect(run.states.indexOf('WakeRulesAgain')).toBeLessThan(run.states.indexOf('Alert'));
    expect(await stage.state()).toEqual({
      ...ASLEEP,
      alarms: AWAKE.alarms,
      rules: AWAKE.rules,
      desiredCount: 1,
      database: 'available',
    });
    const [alert] = await stack.alerts();
    expect(alert).toContain('Asleep: schedules, pipes.');
    expect(alert).toContain('Awake, or asleep in part: Debezium, database.');
    expect(alert).toContain('Alarms have their actions');
  });

  it('says so when it can not give the alarms their actions back', async () => {
    stack.proxy.refused = 'EnableAlarmActions';
    stack.proxy.databaseStates = Array(LOOKS).fill('backing-up');
    const run = await guard({ action: 'pause' });
    expect(run).toMatchObject({ status: 'FAILED', error: 'RunBroke' });
    expect((await stage.state()).alarms).toEqual(ASLEEP.alarms);
    const [alert] = await stack.alerts();
    expect(alert).toContain('The database is backing-up for half an hour');
    expect(alert).toContain('Awake, or asleep in part: database.');
    expect(alert).toContain('Alarms may be silent');
  });
});

describe('a database at work', () => {
  it('is waited for before it is stopped, and before Debezium is started', async () => {
    stack.proxy.databaseStates = ['backing-up'];
    const paused = await guard({ action: 'pause' });
    outputOf(paused);
    expect(paused.states).toContain('DatabaseAtWork');
    expect(await stage.state()).toEqual(ASLEEP);
    stack.proxy.databaseStates = ['stopping', 'stopped'];
    const resumed = await guard({ action: 'resume' });
    outputOf(resumed);
    expect(resumed.states.filter((state) => state === 'DatabaseComing')).toHaveLength(2);
    expect(await stage.state()).toEqual(AWAKE);
  });

  it.each([
    ['pause', 'backing-up'],
    ['resume', 'starting'],
  ])('for too long ends a %s with an alert', async (action, state) => {
    stack.proxy.databaseStates = Array(LOOKS).fill(state);
    const run = await guard({ action });
    expect(run).toMatchObject({ status: 'FAILED', error: 'RunBroke' });
    const [alert] = await stack.alerts();
    expect(alert).toContain(`The database is ${state} for half an hour`);
    outputOf(await guard({ action: 'resume' }));
  });
});

describe('an existing database', () => {
  it('keeps the guard from pausing anything', async () => {
    const run = await guard({ action: 'pause' }, 'existing');
    expect(outputOf(run)).toEqual({ refused: expect.stringContaining('"force": true') });
    expect(await stage.state()).toEqual(AWAKE);
  });

  it('goes on while everything else sleeps by force, with a warning about its slot', async () => {
    const run = await guard({ action: 'pause', force: true }, 'existing');
    expect(outputOf(run)).toMatchObject({ long_pause: expect.stringContaining('keeps all of that log') });
    expect(await stage.state()).toEqual({ ...ASLEEP, database: 'available' });
    const resumed = await guard({ action: 'resume' }, 'existing');
    outputOf(resumed);
    expect(resumed.states).not.toContain('LookAtDatabase');
    expect(await stage.state()).toEqual(AWAKE);
  });
});

describe('a guard', () => {
  it.each([[{}], [{ action: 'stop' }], [{ action: 7 }]])('refuses the input %j', async (input) => {
    const run = await guard(input);
    expect(run).toMatchObject({ status: 'FAILED', error: 'BadInput' });
  });

  it('leaves everything to another one that is at work', async () => {
    const held = Promise.withResolvers<Answer>();
    stack.planned.answer = () => held.promise;
    const first = await stack.startOther(machines.own, { action: 'resume' });
    await stack.until(first, (history) => statesIn(history).includes('LookAtConnector'));
    const second = await stack.runOther(machines.own, { action: 'pause' });
    expect(outputOf(second)).toEqual({ skipped: expect.stringContaining('in progress') });
    held.resolve(RUNNING);
    outputOf(await stack.ended(first));
    expect(await stage.state()).toEqual(AWAKE);
  });

  it('alerts when a service refuses, and gives its lock back', async () => {
    stack.proxy.refused = 'UpdateService';
    const run = await guard({ action: 'pause' });
    stack.proxy.refused = null;
    expect(run).toMatchObject({ status: 'FAILED', error: 'RunBroke' });
    expect(run.states.slice(-4)).toEqual(['Explain', 'Alert', 'ReleaseLockAfterFailure', 'Failed']);
    const [alert] = await stack.alerts();
    expect(alert).toContain('The cost guard broke');
    expect(alert).toContain('not allowed to UpdateService');
    expect(alert).not.toContain('reports:');
  });
});
