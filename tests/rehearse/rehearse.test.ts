import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { SFNClient } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Client } from 'pg';
import { lakeName } from '../../functions/cdc/names.ts';
import { parseRegistry } from '../../functions/cdc/registry.ts';
import { runExecution } from '../../local/execution.ts';
import type { PipeRunner } from '../../local/pipe/runner.ts';
import { PROJECT_ROOT } from '../../local/state.ts';
import type { Status } from '../../local/world.ts';
import { holdingsOf, notEmpty, stackResources } from './account.ts';
import { cdc } from './cdc.ts';
import { type Lake, startLake } from './lake.ts';
import { tailOf } from './log.ts';
import { deployedPipes, runPipes } from './pipes.ts';
import { localParameters, sls } from './sls.ts';
import { logOf, startWorld, type World } from './world.ts';

// Each step builds on the ones before, as a user's do. A busy machine is slow; every wait has a bound of its own.
jest.setTimeout(420_000);

const registry = parseRegistry(readFileSync(join(PROJECT_ROOT, 'tables.yml'), 'utf8'));
const deployment = { project: registry.project, stage: 'dev' };
const STACK = 'cdc-demo-dev';

let world: World;
let lake: Lake;
let pipes: PipeRunner | undefined;
let resources: Record<string, string>;
const crashes: Error[] = [];
const times: [step: string, seconds: number][] = [];

async function timed<T>(step: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const result = await work();
  times.push([step, (performance.now() - began) / 1000]);
  return result;
}

async function until(
  what: string,
  happened: () => Promise<boolean>,
  withinMs: number,
  log: string,
): Promise<void> {
  for (const deadline = Date.now() + withinMs; !(await happened()); await pause(200)) {
    if (Date.now() > deadline) {
      throw new Error(`Not within ${withinMs / 1000} s: ${what}\n${tailOf(logOf(world, log))}`);
    }
  }
}

async function select(sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: world.database.admin });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

async function invoke(name: string, event: object): Promise<Record<string, unknown>> {
  return JSON.parse(await sls(world, ['invoke', '--function', name, '--data', JSON.stringify(event)]));
}

let broken: string | undefined;

/** A test that needs those before it: once one has failed, the others say so at once. */
function step(name: string, work: () => Promise<void>): void {
  it(name, async () => {
    if (broken !== undefined) throw new Error(`Not tried: "${broken}" failed before`);
    try {
      await work();
    } catch (error) {
      broken = name;
      throw error;
    }
  });
}

beforeAll(async () => {
  world = await timed('start PostgreSQL, Kafka and moto', startWorld);
});

afterAll(async () => {
  await pipes?.stop();
  await world?.stop();
  process.stdout.write(
    `${times.map(([step, seconds]) => `${seconds.toFixed(1).padStart(7)} s  ${step}`).join('\n')}\n`,
  );
});

describe('an empty account', () => {
  step('holds nothing', async () => {
    expect(notEmpty(await holdingsOf(world))).toEqual({});
  });

  step('takes the whole stage by one sls deploy', async () => {
    const printed = await timed('sls deploy', () => sls(world, ['deploy']));
    expect(printed).toContain(`Service deployed to stack ${STACK}`);
    resources = await stackResources(world, STACK);
    expect(Object.values(resources).every((id) => id !== '')).toBe(true);
  });
});

describe('a deployed stage', () => {
  step('is told by sls info', async () => {
    const printed = await timed('sls info', () => sls(world, ['info', '--verbose']));
    expect(printed).toContain(`stack: ${STACK}`);
    expect(printed).toContain(`enrich: ${STACK}-enrich`);
    expect(printed).toContain(`LandingBucketName: ${resources['LandingBucket']}`);
  });

  step('has prepared its source and put its connector, without a further step', async () => {
    expect(await select('SELECT pubname FROM pg_publication')).toEqual([{ pubname: 'cdc_demo_dev' }]);
    expect(await invoke('source', { action: 'check' })).toMatchObject({ ok: true });
    await until(
      'the connector runs and has its snapshot',
      async () => {
        const { condition } = await invoke('connector', { action: 'status' });
        const { state, snapshot } = condition as { state: string; snapshot: string };
        return state === 'running' && snapshot === 'complete';
      },
      180_000,
      'connect',
    );
  });

  step('lands every table through its deployed pipe, function and stream', async () => {
    const deployed = await deployedPipes(world);
    expect(deployed.map(({ plan }) => plan.table).sort()).toEqual(
      [...registry.tables.map(({ id }) => id), 'debezium.transaction'].sort(),
    );
    expect(new Set(deployed.map(({ bucket }) => bucket))).toEqual(new Set([resources['LandingBucket']]));
    // Its code is the deployment's: Spark starts while the snapshot lands.
    const starting = timed('start Spark with the deployed code', () =>
      startLake(world, deployment, {
        job: `${STACK}-bronze`,
        landingBucket: resources['LandingBucket'] ?? '',
        lakeBucket: resources['LakeBucket'] ?? '',
      }),
    );
    pipes = await runPipes(world, deployment, deployed, (error) => crashes.push(error));
    await timed('land the snapshot', () =>
      until('every topic has landed', async () => allLanded(), 180_000, 'pipes'),
    );
    lake = await starting;
    expect(crashes).toEqual([]);
  });

  step('answers through its functions', async () => {
    expect(await invoke('slot-monitor', {})).toMatchObject({ measures: { SlotActive: 1 }, problem: null });
    expect(await invoke('pipe-keeper', {})).toMatchObject({
      pipes: registry.tables.length + 1,
      notRunning: [],
    });
    const asked = { table: 'orders', from: 'beginning', limit: 2, waitMs: 10_000 };
    expect((await invoke('events', asked))['records']).toHaveLength(2);
    expect(await invoke('preflight', {})).toMatchObject({ go: true, refuse: null });
  });

  step('runs the deployed medallion to its good end, with rows in silver', async () => {
    const run = await timed('run the medallion', () =>
      runExecution(new SFNClient(world.clients), {
        stateMachineArn: resources['MedallionStateMachine'] ?? '',
        origin: 'rehearse',
        signal: AbortSignal.timeout(300_000),
      }).catch((error: unknown) => {
        throw new Error(`The execution did not end:\n${tailOf(logOf(world, 'spark'))}`, { cause: error });
      }),
    );
    expect({ ...run, steps: run.steps.map(({ state }) => state) }).toMatchObject({ status: 'SUCCEEDED' });
    expect(run.steps.map(({ state }) => state)).toEqual(
      expect.arrayContaining(['Bronze', 'Silver', 'Gold', 'Done']),
    );
    for (const { id } of registry.tables) {
      const [source] = await select(`SELECT count(*)::int AS rows FROM ${id}`);
      const [silver] = await lake.query(
        `SELECT count(*) FROM cdc_demo_dev_silver_${lakeName(id)} WHERE is_active`,
      );
      expect({ table: id, rows: Number(silver?.[0]) }).toEqual({ table: id, rows: source?.['rows'] });
      expect(source?.['rows']).toBeGreaterThan(0);
    }
    expect(await invoke('gate', { action: 'judge', layer: 'gold', run_id: run.name })).toMatchObject({
      verdict: 'pass',
    });
  });

  step('is shown by the command line as it stands', async () => {
    const { stdout } = await cdc(world, ['status', '--json']);
    const status = JSON.parse(stdout) as Status;
    expect(status.connector).toMatchObject({ state: 'running', snapshot: 'complete' });
    expect(status.parts.find(({ part }) => part === 'pipes and streams')).toMatchObject({ ok: true });
    for (const { table, landed, bronze, silver } of status.tables) {
      const [source] = await select(`SELECT count(*)::int AS rows FROM ${table}`);
      expect({ table, landed, bronze, silver }).toEqual({
        table,
        landed: source?.['rows'],
        bronze: source?.['rows'],
        silver: source?.['rows'],
      });
    }
    expect(status.layers.map(({ layer, verdict }) => [layer, verdict])).toEqual([
      ['bronze', 'pass'],
      ['silver', 'pass'],
      ['gold', 'pass'],
    ]);
    const { exitCode, stdout: shown } = await cdc(world, ['connectors']);
    expect({ exitCode, shown }).toMatchObject({ exitCode: 0, shown: expect.stringContaining('slot.name') });
    const again = await cdc(world, ['run']);
    expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/Succeeded cli-/) });
  });
});

describe('sls remove', () => {
  step('takes everything away but what it says that stays', async () => {
    await pipes?.stop();
    pipes = undefined;
    await world.supervisor.stop('spark');
    const printed = await timed('sls remove', () => sls(world, ['remove']));
    expect(printed).toContain('has been successfully removed');
    const left = notEmpty(await holdingsOf(world));
    expect(left).toEqual({
      'kms keys': [resources['DataKey']],
      'rds snapshots': [expect.stringContaining(STACK)],
      's3 buckets': [resources['LakeBucket'], resources['LandingBucket']],
    });
    for (const name of [...(left['kms keys'] ?? []), ...(left['s3 buckets'] ?? [])])
      expect(printed).toContain(name);
    expect(printed).toContain(`the last snapshot of ${resources['Database']}`);
  });

  step('leaves neither slot nor publication in the source', async () => {
    expect(await select('SELECT slot_name FROM pg_replication_slots')).toEqual([]);
    expect(await select('SELECT pubname FROM pg_publication')).toEqual([]);
  });
});

describe('a second deployment', () => {
  const changed = () => ({ ...localParameters(world), pipeWindowSeconds: '7' });

  step('stands beside what the first one left, and shows what was changed', async () => {
    await world.renewServers();
    await timed('second sls deploy', () => sls(world, ['deploy'], changed()));
    expect((await deployedPipes(world)).map(({ windowSeconds }) => windowSeconds)).toEqual([7, 7, 7, 7]);
  });

  step('is changed in place by a third', async () => {
    const before = await stackResources(world, STACK);
    const parameters = { ...changed(), pipeWindowSeconds: '3' };
    await timed('third sls deploy, an update', () => sls(world, ['deploy'], parameters));
    expect((await deployedPipes(world)).map(({ windowSeconds }) => windowSeconds)).toEqual([3, 3, 3, 3]);
    expect(await stackResources(world, STACK)).toEqual(before);
  });

  step('loses its buckets, and no others, only when that is asked', async () => {
    const own = await stackResources(world, STACK);
    const printed = await timed('sls remove --empty-buckets', () =>
      sls(world, ['remove', '--empty-buckets']),
    );
    expect(printed).toContain(`Bucket ${own['LakeBucket']} deleted`);
    expect(notEmpty(await holdingsOf(world))).toEqual({
      'kms keys': [own['DataKey'], resources['DataKey']].sort(),
      'rds snapshots': [expect.stringContaining(STACK), expect.stringContaining(STACK)],
      's3 buckets': [resources['LakeBucket'], resources['LandingBucket']],
    });
  });
});

function allLanded(): boolean {
  const topics = Object.values(pipes?.status().topics ?? {});
  return topics.length > 0 && topics.every(({ lag, files }) => lag === 0 && files > 0);
}
