import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { SFNClient } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Client } from 'pg';
import { connectorName } from '../../functions/cdc/connector-config.ts';
import { lakeName } from '../../functions/cdc/names.ts';
import { parseRegistry } from '../../functions/cdc/registry.ts';
import { type RunResult, runExecution } from '../../local/execution.ts';
import { PROJECT_ROOT } from '../../local/state.ts';
import type { Status } from '../../local/world.ts';
import { alarmActions, holdingsOf, invokeFunction, notEmpty, stackResources } from './account.ts';
import { cdc } from './cdc.ts';
import { fireRule, startScheduled } from './eventbridge.ts';
import { type Lake, startLake } from './lake.ts';
import { tailOf } from './log.ts';
import { deployedPipes, EventBridgePipes } from './pipes.ts';
import { logIn, replicationRole, rotate, WRONG_PASSWORD } from './rotation.ts';
import { localParameters, sls } from './sls.ts';
import { logOf, startWorld, type World } from './world.ts';

// Each step builds on the ones before, as a user's do. Every wait has a bound of its own, for a busy machine.
jest.setTimeout(1_800_000);

/** For what takes seconds on a quiet machine. */
const WITHIN_MS = 300_000;

const registry = parseRegistry(readFileSync(join(PROJECT_ROOT, 'tables.yml'), 'utf8'));
const deployment = { project: registry.project, stage: 'dev' };
const STACK = 'cdc-demo-dev';
/** What looks after the capture. */
const RULES = ['connector', 'slot-monitor', 'pipe-keeper'];
const CONNECTOR = connectorName(deployment);

let world: World;
let lake: Lake;
let pipes: EventBridgePipes | undefined;
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

function invoke(name: string, event: object): Promise<Record<string, unknown>> {
  return invokeFunction(world, `${STACK}-${name}`, JSON.stringify(event));
}

/** A physical id by the logical one. */
function resource(logicalId: string): string {
  const id = resources[logicalId];
  if (id === undefined) throw new Error(`The stack has no ${logicalId}`);
  return id;
}

/** Runs a deployed state machine to its end, however it ends. */
async function execute(logicalId: string, input: Record<string, unknown> = {}): Promise<RunResult> {
  return runExecution(new SFNClient(world.clients), {
    stateMachineArn: resource(logicalId),
    origin: 'rehearse',
    input,
    signal: AbortSignal.timeout(2 * WITHIN_MS),
  }).catch((error: unknown) => {
    throw new Error(`The execution did not end:\n${tailOf(logOf(world, 'spark'))}`, { cause: error });
  });
}

async function answers(url: string): Promise<boolean> {
  return fetch(url, { signal: AbortSignal.timeout(5_000) }).then(
    ({ ok }) => ok,
    () => false,
  );
}

async function databaseAnswers(): Promise<boolean> {
  return select('SELECT').then(
    () => true,
    () => false,
  );
}

/** The connector's configuration in Connect. */
async function connectorConfig(): Promise<Record<string, string>> {
  const answer = await fetch(`${world.connectUrl}/connectors/${CONNECTOR}/config`);
  return (await answer.json()) as Record<string, string>;
}

async function putConnectorConfig(config: Record<string, string>): Promise<void> {
  const answer = await fetch(`${world.connectUrl}/connectors/${CONNECTOR}/config`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(config),
  });
  if (!answer.ok) throw new Error(`Connect refused the configuration: ${await answer.text()}`);
}

/** The Connect that runs now, by its process id and its beginning. */
function connectProcess(): { pid: number; since: string } | undefined {
  return world.state.read().children['connect'];
}

/** A connector that runs has yet to come to its slot. */
async function slotIsRead(): Promise<boolean> {
  return (await select('SELECT FROM pg_replication_slots WHERE active')).length > 0;
}

/** Whether Debezium reads the slot from another Connect than that: one that logged in after it was started. */
async function streamsFromAnother(before: ReturnType<typeof connectProcess>): Promise<boolean> {
  const now = connectProcess();
  if (now === undefined || now.pid === before?.pid) return false;
  const streams = await select(`SELECT FROM pg_stat_replication WHERE backend_start > '${now.since}'`);
  return streams.length > 0;
}

/** What an update left in the source and what silver has of it. */
const WRITTEN = [
  {
    source: 'SELECT id::text AS id, bio AS value FROM users ORDER BY users.id',
    silver: 'SELECT string(id), bio FROM cdc_demo_dev_silver_users WHERE is_active ORDER BY id',
  },
  {
    source: 'SELECT id::text AS id, stock::text AS value FROM products ORDER BY products.id',
    silver: 'SELECT string(id), string(stock) FROM cdc_demo_dev_silver_products WHERE is_active ORDER BY id',
  },
];

async function lakeEqualsSource(): Promise<boolean> {
  for (const { source, silver } of WRITTEN) {
    const wanted = (await select(source)).map(({ id, value }) => [id, value]);
    // As texts: arrays of this file are no arrays to those that fetch makes outside of jest's context.
    if (JSON.stringify(await lake.query(silver)) !== JSON.stringify(wanted)) return false;
  }
  return true;
}

/** Runs the medallion as often as it takes: what is on its way may land after a run has begun. */
async function untilLakeEqualsSource(): Promise<void> {
  await until(
    'the rows of silver are those of the source',
    async () => {
      await execute('MedallionStateMachine');
      return lakeEqualsSource();
    },
    2 * WITHIN_MS,
    'pipes',
  );
}

/** What Iceberg tells of a table: its `snapshots`, its `delete_files`. */
function metadata(table: string, what: string): string {
  return `glue_catalog.cdc_demo_dev.${table}.${what}`;
}

/** A file that a writer which died left in a table's folder, `days` ago. */
function leaveOrphan(table: string, days: number): string {
  const folder = join(
    world.state.paths.lake,
    resource('LakeBucket'),
    'warehouse',
    'cdc_demo_dev',
    table,
    'data',
  );
  const file = join(folder, 'left-behind.parquet');
  writeFileSync(file, 'PAR1');
  const seconds = Date.now() / 1000 - days * 24 * 3600;
  utimesSync(file, seconds, seconds);
  return file;
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
    const checked = await sls(world, ['invoke', '--function', 'source', '--data', '{"action":"check"}']);
    expect(JSON.parse(checked)).toMatchObject({ ok: true });
    await until(
      'the connector runs and has its snapshot',
      async () => {
        const { condition } = await invoke('connector', { action: 'status' });
        const { state, snapshot } = condition as { state: string; snapshot: string };
        return state === 'running' && snapshot === 'complete';
      },
      WITHIN_MS,
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
        landingBucket: resource('LandingBucket'),
        lakeBucket: resource('LakeBucket'),
      }),
    );
    pipes = new EventBridgePipes(world, deployment, (error) => crashes.push(error));
    await timed('land the snapshot', () =>
      until('every topic has landed', async () => allLanded(), WITHIN_MS, 'pipes'),
    );
    lake = await starting;
    expect(crashes).toEqual([]);
  });

  step('answers through its functions', async () => {
    await until('Debezium reads its slot', slotIsRead, WITHIN_MS, 'connect');
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
    const run = await timed('run the medallion', () => execute('MedallionStateMachine'));
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

describe('a stage that is left to itself', () => {
  step('has its connector put right, its slot measured and its pipes looked at by its rules', async () => {
    const declared = await connectorConfig();
    await putConnectorConfig({ ...declared, 'heartbeat.interval.ms': '12345' });
    expect(await fireRule(world, `${STACK}-connector`)).toMatchObject({ applied: 'changed', problem: null });
    expect(await connectorConfig()).toEqual(declared);
    expect(await fireRule(world, `${STACK}-connector`)).toMatchObject({
      applied: 'unchanged',
      condition: { state: 'running' },
    });
    await until('Debezium reads its slot', slotIsRead, WITHIN_MS, 'connect');
    expect(await fireRule(world, `${STACK}-slot-monitor`)).toMatchObject({
      measures: { SlotActive: 1 },
      problem: null,
    });
    expect(await fireRule(world, `${STACK}-pipe-keeper`)).toMatchObject({ notRunning: [] });
  });

  step('gets a new password for its replication role, and captures on with it', async () => {
    const old = await replicationRole(world, resource('ReplicationSecret'));
    const before = connectProcess();
    await timed('rotate the password', () => rotate(world, resource('ReplicationSecret')));
    const renewed = await replicationRole(world, resource('ReplicationSecret'));
    expect(renewed.username).toBe(old.username);
    expect(renewed.password).not.toBe(old.password);
    await expect(logIn(world, old)).rejects.toMatchObject({ code: WRONG_PASSWORD });
    await logIn(world, renewed);
    await timed('capture with the new password', () =>
      until('a new Connect streams', () => streamsFromAnother(before), WITHIN_MS, 'connect'),
    );
    await select(`UPDATE users SET bio = 'written under the new password'`);
  });

  step('falls asleep when its schedule says so', async () => {
    const paused = await timed('pause', () => startScheduled(world, `${STACK}-cost-guard-stop`));
    expect(paused).toMatchObject({ status: 'SUCCEEDED', output: { paused: expect.any(String) } });
    await until('Connect is gone', async () => !(await answers(world.connectUrl)), WITHIN_MS, 'fargate');
    await until('PostgreSQL is gone', async () => !(await databaseAnswers()), WITHIN_MS, 'rds');
    await until(
      'no pipe reads',
      async () => Object.keys(pipes?.topics ?? {}).length === 0,
      WITHIN_MS,
      'pipes',
    );
    expect(await alarmActions(world)).toEqual([false]);
    for (const schedule of ['medallion', 'maintenance'])
      await expect(startScheduled(world, `${STACK}-${schedule}`)).rejects.toThrow('DISABLED');
    for (const rule of RULES) await expect(fireRule(world, `${STACK}-${rule}`)).rejects.toThrow('DISABLED');
    // Asked all the same, nobody wakes a pipe.
    const { notRunning } = await invoke('pipe-keeper', {});
    expect(new Set((notRunning as { what: string }[]).map(({ what }) => what))).toEqual(new Set(['paused']));
  });

  step('wakes up when its schedule says so, and captures what is written then', async () => {
    const resumed = await timed('resume', () => startScheduled(world, `${STACK}-cost-guard-start`));
    expect(resumed).toMatchObject({ status: 'SUCCEEDED', output: { resumed: expect.any(String) } });
    expect(await alarmActions(world)).toEqual([true]);
    expect((await invoke('connector', { action: 'status' }))['condition']).toMatchObject({
      state: 'running',
    });
    for (const rule of RULES) await fireRule(world, `${STACK}-${rule}`);
    expect(await fireRule(world, `${STACK}-pipe-keeper`)).toMatchObject({ notRunning: [] });
    await select(`UPDATE products SET stock = stock + 1000`);
  });

  step('reads rows again when a backfill is asked for, and starts the medallion for them', async () => {
    const again = await timed('backfill', () =>
      execute('BackfillStateMachine', { table: 'users', condition: 'id <= 2' }),
    );
    expect(again).toMatchObject({ status: 'SUCCEEDED', output: { medallion: expect.any(String) } });
    await timed('take to silver what is new', () => untilLakeEqualsSource());
    expect(
      await lake.query(
        `SELECT count(DISTINCT key) FROM cdc_demo_dev_bronze_users WHERE op = 'r' AND snapshot = 'incremental'`,
      ),
    ).toEqual([[2]]);
  });

  step('tidies its lake when its schedule says so', async () => {
    const table = 'cdc_demo_dev_silver_users';
    const rows = await lake.query(`SELECT * FROM ${table} ORDER BY id`);
    const deleteFiles = `SELECT file_path FROM ${metadata(table, 'delete_files')}`;
    expect(await lake.query(deleteFiles)).not.toEqual([]);
    const [[first] = []] = await lake.query(
      `SELECT min_by(snapshot_id, committed_at) FROM ${metadata(table, 'snapshots')}`,
    );
    const orphan = leaveOrphan(table, 4);
    const kept = await timed('maintenance', () => startScheduled(world, `${STACK}-maintenance`));
    expect(kept).toMatchObject({ status: 'SUCCEEDED', output: { maintenance: expect.any(String) } });
    expect(await lake.query(deleteFiles)).toEqual([]);
    expect(
      await lake.query(`SELECT * FROM ${metadata(table, 'snapshots')} WHERE snapshot_id = ${first}`),
    ).toEqual([]);
    expect(existsSync(orphan)).toBe(false);
    expect(await lake.query(`SELECT * FROM ${table} ORDER BY id`)).toEqual(rows);
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
  const topics = Object.values(pipes?.topics ?? {});
  return topics.length > 0 && topics.every(({ lag, files }) => lag === 0 && files > 0);
}
