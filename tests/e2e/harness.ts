/** A real twin in a scratch folder, and the comparison of its lake with its source. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { GetJobRunCommand, GlueClient, StartJobRunCommand } from '@aws-sdk/client-glue';
import { SFNClient } from '@aws-sdk/client-sfn';
import { Client } from 'pg';
import { type Deployment, lakeTable } from '../../functions/cdc/names.ts';
import { parseRegistry, type Registry } from '../../functions/cdc/registry.ts';
import { deployedName } from '../../local/aws/lambda/function.ts';
import { clientSettings } from '../../local/aws/platform.ts';
import { untilLanded } from '../../local/caught-up.ts';
import { readRegistry, twinDeployment } from '../../local/cli/context.ts';
import { type RunResult, runExecution } from '../../local/execution.ts';
import { queryLake } from '../../local/spark/lake-query.ts';
import { PROJECT_ROOT, removeState, type Secrets } from '../../local/state.ts';
import { startTwin, type Twin } from '../../local/twin.ts';
import { compare, compareSilver, type Difference, NO_DIFFERENCE } from './oracle.ts';

const LANDED_WITHIN_MS = 300_000;
/** The most that the Spark worker answers. */
const ALL_ROWS = 100_000;
const RUNS_AFTER_A_CRASH = 5;

export interface Lakehouse {
  readonly twin: Twin;
  readonly registry: Registry;
  readonly deployment: Deployment;
  /** The shop's application. */
  readonly source: Client;
  /** The superuser's URL of the same database. */
  readonly adminUrl: string;
  /** Stops the twin and starts it again in another epoch. */
  restart(epoch: number): Promise<Lakehouse>;
  close(): Promise<void>;
}

/** Starts a twin with a small shop below a folder with a space in its path. */
export async function openLakehouse(scale: number): Promise<Lakehouse> {
  const scratch = await mkdtemp(path.join(tmpdir(), 'cdc e2e '));
  return start(scratch, scale, readRegistry(), path.join(PROJECT_ROOT, 'tables.yml'));
}

async function start(
  scratch: string,
  scale: number,
  registry: Registry,
  registryFile: string,
): Promise<Lakehouse> {
  const root = path.join(scratch, 'state');
  const deployment = twinDeployment(registry);
  const twin = await startTwin({
    root,
    registry,
    registryFile,
    deployment,
    scale,
    timeScale: { intervals: 10 },
    step: (_name, work) => work(() => undefined),
    note: () => undefined,
    onChildEvent: ({ message }) => process.stderr.write(`${message}\n`),
  });
  const { passwords } = JSON.parse(await readFile(twin.state.paths.secrets, 'utf8')) as Secrets;
  const adminUrl = twin.urls.source.replace(/\/\/[^@]*@/, `//postgres:${passwords['postgres']}@`);
  const source = new Client({ connectionString: twin.urls.source });
  await source.connect();
  return {
    twin,
    registry,
    deployment,
    source,
    adminUrl,
    async restart(epoch) {
      await source.end();
      await twin.stop();
      const raised = path.join(scratch, 'tables.yml');
      const text = (await readFile(registryFile, 'utf8')).replace(/^epoch: .*$/m, `epoch: ${epoch}`);
      await writeFile(raised, text);
      return start(scratch, scale, parseRegistry(text), raised);
    },
    async close() {
      await source.end();
      await twin.stop();
      await removeState(root);
      await rm(scratch, { recursive: true, force: true });
    },
  };
}

/** Rows of the lake, every value as text or null. */
export async function lakeRows({ twin }: Lakehouse, sql: string): Promise<(string | null)[][]> {
  const { rows } = await queryLake(twin.urls.spark, sql, ALL_ROWS);
  if (rows.length === ALL_ROWS) throw new Error(`More than ${ALL_ROWS} rows: a cut result proves nothing`);
  return rows.map((row) => row.map((value) => (value === null ? null : String(value))));
}

/** The one value of a query that answers one. */
export async function lakeValue(lakehouse: Lakehouse, sql: string): Promise<string | null> {
  return (await lakeRows(lakehouse, sql))[0]?.[0] ?? null;
}

export function untilAllLanded({ twin, registry, deployment }: Lakehouse): Promise<void> {
  return untilLanded(twin.urls, { registry, deployment }, LANDED_WITHIN_MS);
}

/** Runs the medallion once, whatever has landed. */
export function runOnce({ twin }: Lakehouse): Promise<RunResult> {
  return runExecution(new SFNClient(clientSettings(twin.urls.endpoint)), {
    stateMachineArn: twin.urls.medallion,
    origin: 'e2e',
    input: { force: true },
  });
}

/** Waits until all is landed and publishes it. @throws Error with the run's reason and Spark's log when it fails */
export async function publish(lakehouse: Lakehouse): Promise<RunResult> {
  await untilAllLanded(lakehouse);
  const result = await runOnce(lakehouse);
  if (result.status !== 'SUCCEEDED') throw new Error(await explain(lakehouse, result));
  return result;
}

/** As publish, after a crash: a run may fail while a child comes back, and the next one completes its work. */
export async function publishAfterCrash(lakehouse: Lakehouse): Promise<void> {
  await untilAllLanded(lakehouse);
  let result = await runOnce(lakehouse);
  for (let attempt = 1; result.status !== 'SUCCEEDED' && attempt < RUNS_AFTER_A_CRASH; attempt += 1) {
    await untilSparkReady(lakehouse);
    result = await runOnce(lakehouse);
  }
  if (result.status !== 'SUCCEEDED') throw new Error(await explain(lakehouse, result));
}

async function explain({ twin }: Lakehouse, result: RunResult): Promise<string> {
  const tail = async (child: string) =>
    (await readFile(path.join(twin.state.paths.logs, `${child}.log`), 'utf8').catch(() => ''))
      .split('\n')
      .slice(-40)
      .join('\n');
  return `${result.name} ${result.status}: ${result.error} ${result.cause}\n--- spark\n${await tail('spark')}\n--- endpoint\n${await tail('endpoint')}\n--- pipe\n${await tail('pipe')}\n--- connect\n${await tail('connect')}`;
}

/** Waits until the Spark worker that was killed has been started again. */
export async function untilSparkReady({ twin }: Lakehouse): Promise<void> {
  await until('Spark is ready again', 300_000, async () => {
    const answer = await fetch(`${twin.urls.spark}/health`).catch(() => null);
    return answer !== null && ((await answer.json()) as { status: string }).status === 'ready';
  });
}

/** Looks five times a second until the condition holds. @throws Error that names the condition */
export async function until(
  what: string,
  withinMs: number,
  condition: () => Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Not within ${withinMs / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Recomputes gold from nothing, by Glue's API as a person would. */
export async function recomputeGold({ twin, deployment }: Lakehouse): Promise<void> {
  const glue = new GlueClient(clientSettings(twin.urls.endpoint));
  const JobName = deployedName(deployment, 'gold');
  const { JobRunId: RunId } = await glue.send(
    new StartJobRunCommand({
      JobName,
      Arguments: { '--run_id': 'gold-full', '--full': 'true', '--assets': PROJECT_ROOT },
    }),
  );
  let state = 'RUNNING';
  await until('gold --full has ended', 300_000, async () => {
    const { JobRun } = await glue.send(new GetJobRunCommand({ JobName, RunId }));
    state = JobRun?.JobRunState ?? 'RUNNING';
    return state !== 'RUNNING' && state !== 'STARTING';
  });
  if (state !== 'SUCCEEDED') throw new Error(`gold --full ended ${state}`);
}

/** The gold models by their folders. */
export async function goldModels(): Promise<string[]> {
  const entries = await readdir(path.join(PROJECT_ROOT, 'sql', 'gold'), { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** Every silver table against the source, every gold model against PostgreSQL's own answer. */
export async function compareAll(lakehouse: Lakehouse): Promise<Record<string, Difference>> {
  const { registry, deployment, source } = lakehouse;
  const differences: Record<string, Difference> = {};
  for (const { id, schema, table } of registry.tables) {
    const silver = lakeTable(deployment, 'silver', id);
    const { rows: _, ...difference } = await compareSilver(source, (sql) => lakeRows(lakehouse, sql), {
      schema,
      name: table,
      silver,
    });
    differences[silver] = difference;
  }
  for (const model of await goldModels()) differences[model] = await compareGold(lakehouse, model);
  return differences;
}

async function compareGold(lakehouse: Lakehouse, model: string): Promise<Difference> {
  const oracle = await readFile(path.join(import.meta.dirname, 'oracle', `${model}.sql`), 'utf8');
  const expected = await lakehouse.source.query<(string | null)[]>({ text: oracle, rowMode: 'array' });
  const columns = expected.fields.map(({ name }) => `CAST(\`${name}\` AS STRING)`).join(', ');
  const found = await lakeRows(
    lakehouse,
    `SELECT ${columns} FROM ${lakeTable(lakehouse.deployment, 'gold', model)}`,
  );
  return compare(expected.rows, found);
}

/** What compareAll answers when the lake equals its source. */
export async function noDifferences({
  registry,
  deployment,
}: Lakehouse): Promise<Record<string, Difference>> {
  const names = [
    ...registry.tables.map(({ id }) => lakeTable(deployment, 'silver', id)),
    ...(await goldModels()),
  ];
  return Object.fromEntries(names.map((name) => [name, NO_DIFFERENCE]));
}
