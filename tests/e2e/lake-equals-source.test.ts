import { copyFile, mkdir, readdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { DescribeExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { platformTables } from '../../functions/cdc/connector-config.ts';
import { lakeTable } from '../../functions/cdc/names.ts';
import { ACCOUNT, deployedName } from '../../local/aws/lambda/function.ts';
import { clientSettings, REGION } from '../../local/aws/platform.ts';
import { type RunResult, runExecution } from '../../local/execution.ts';
import { withAdmin } from '../../local/kafka/broker.ts';
import { startPipe } from '../../local/pipe/child.ts';
import { pipePlans } from '../../local/pipe/plan.ts';
import { runWorkload } from '../../local/sample/workload.ts';
import { latestReports } from '../../local/status.ts';
import { lakeBucket } from '../../local/twin.ts';
import {
  compareAll,
  goldModels,
  type Lakehouse,
  lakeRows,
  lakeValue,
  noDifferences,
  openLakehouse,
  publish,
  publishAfterCrash,
  recomputeGold,
  runOnce,
  until,
  untilAllLanded,
} from './harness.ts';

/** 100 users, 10 products, 1,000 orders. */
const SCALE = 0.02;
/** Characters of random text: beyond what PostgreSQL keeps in the row even when compressed. */
const TOASTED = "(SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 400))";

let lakehouse: Lakehouse;

beforeAll(async () => {
  lakehouse = await openLakehouse(SCALE);
}, 1_200_000);

afterAll(async () => {
  await lakehouse?.close();
}, 300_000);

async function expectLakeEqualsSource(): Promise<void> {
  expect(await compareAll(lakehouse)).toEqual(await noDifferences(lakehouse));
}

function silver(table: string): string {
  return lakeTable(lakehouse.deployment, 'silver', table);
}

function bronze(table: string): string {
  return lakeTable(lakehouse.deployment, 'bronze', table);
}

/** Statements of one transaction. */
async function transact(...statements: string[]): Promise<void> {
  await lakehouse.source.query(['BEGIN', ...statements, 'COMMIT'].join(';\n'));
}

async function workload(seconds: number, seed: number): Promise<void> {
  const client = new Client({ connectionString: lakehouse.twin.urls.source });
  await client.connect();
  try {
    await runWorkload(client, { rate: 150, seconds, seed });
  } finally {
    await client.end();
  }
}

/** Runs maintenance or a backfill to its end. */
async function runMachine(machine: 'maintenance' | 'backfill', input: object): Promise<RunResult> {
  const name = deployedName(lakehouse.deployment, machine);
  return runExecution(stepFunctions(), {
    stateMachineArn: `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:${name}`,
    origin: 'e2e',
    input: { ...input },
  });
}

function stepFunctions(): SFNClient {
  return new SFNClient(clientSettings(lakehouse.twin.urls.endpoint));
}

/** Folder of a table's landing files, and their keys below it, oldest first. */
async function landingFiles(table: string): Promise<{ folder: string; keys: string[] }> {
  const { paths } = lakehouse.twin.state;
  const folder = path.join(paths.lake, lakeBucket(lakehouse.deployment), 'landing', table);
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const keys = found
    .filter((entry) => entry.isFile() && entry.name.endsWith('.gz'))
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
  return { folder, keys };
}

describe('the lake equals its source', () => {
  it('after the initial snapshot', async () => {
    await publish(lakehouse);
    await expectLakeEqualsSource();
    expect(Number(await lakeValue(lakehouse, `SELECT count(*) FROM ${silver('orders')}`))).toBe(1000);
  }, 1_200_000);

  it('after inserts, updates and deletes of a live workload', async () => {
    await workload(3, 11);
    await publish(lakehouse);
    await expectLakeEqualsSource();
  }, 1_200_000);

  it('after updates that leave a large text unchanged, in silver and within one batch', async () => {
    await lakehouse.source.query(
      `INSERT INTO public.orders (id, user_id, product_id, quantity, total_amount, status, notes)
       SELECT 900000 + n, (SELECT min(id) FROM public.users), (SELECT min(id) FROM public.products), n, 10 * n, 'pending',
         (SELECT string_agg(md5(random()::text || n || g), '') FROM generate_series(1, 400) AS g)
       FROM generate_series(1, 6) AS n`,
    );
    await publish(lakehouse);
    await lakehouse.source.query("UPDATE public.orders SET status = 'shipped' WHERE id = 900001");
    await lakehouse.source.query(`UPDATE public.orders SET notes = ${TOASTED} WHERE id = 900002`);
    await lakehouse.source.query(
      "UPDATE public.orders SET status = 'delivered' WHERE id IN (900001, 900002)",
    );
    await publish(lakehouse);
    await expectLakeEqualsSource();
    const large = `SELECT count(*) FROM ${silver('orders')} WHERE id BETWEEN 900001 AND 900006 AND length(notes) = 12800`;
    expect(await lakeValue(lakehouse, large)).toBe('6');
  }, 1_200_000);

  it('after key changes, also swapped in one transaction, with the large text unchanged', async () => {
    await lakehouse.source.query('UPDATE public.orders SET id = 910003 WHERE id = 900003');
    await transact(
      'UPDATE public.orders SET id = -1 WHERE id = 900004',
      'UPDATE public.orders SET id = 900004 WHERE id = 900005',
      'UPDATE public.orders SET id = 900005 WHERE id = -1',
    );
    await publish(lakehouse);
    await expectLakeEqualsSource();
    expect(
      await lakeRows(
        lakehouse,
        `SELECT id, is_active FROM ${silver('orders')} WHERE id IN (900003, 910003, -1) ORDER BY id`,
      ),
    ).toEqual([
      ['-1', 'false'],
      ['900003', 'false'],
      ['910003', 'true'],
    ]);
  }, 1_200_000);

  it('after a delete and a re-insert of the same key, in one transaction and in two', async () => {
    const insert = (notes: string) =>
      `INSERT INTO public.orders (id, user_id, product_id, quantity, total_amount, status, notes)
       SELECT 900006, min(u.id), (SELECT min(id) FROM public.products), 1, 77.50, 'paid', ${notes} FROM public.users AS u`;
    await transact('DELETE FROM public.orders WHERE id = 900006', insert("'again'"));
    await lakehouse.source.query('DELETE FROM public.orders WHERE id = 910003');
    await publish(lakehouse);
    await expectLakeEqualsSource();
    await lakehouse.source.query('DELETE FROM public.orders WHERE id = 900006');
    await publish(lakehouse);
    expect(
      await lakeRows(lakehouse, `SELECT notes, is_active FROM ${silver('orders')} WHERE id = 900006`),
    ).toEqual([['again', 'false']]);
    await lakehouse.source.query(insert('NULL'));
    await publish(lakehouse);
    await expectLakeEqualsSource();
    expect(
      await lakeRows(lakehouse, `SELECT notes, is_active FROM ${silver('orders')} WHERE id = 900006`),
    ).toEqual([[null, 'true']]);
  }, 1_200_000);

  it('after a column has been added', async () => {
    await lakehouse.source.query('ALTER TABLE public.users ADD COLUMN loyalty_points integer');
    await lakehouse.source.query('UPDATE public.users SET loyalty_points = id WHERE id % 3 = 0');
    await publish(lakehouse);
    await expectLakeEqualsSource();
    expect(
      Number(
        await lakeValue(
          lakehouse,
          `SELECT count(*) FROM ${silver('users')} WHERE is_active AND loyalty_points = id`,
        ),
      ),
    ).toBeGreaterThan(10);
  }, 1_200_000);

  it('after maintenance and a backfill beside a live workload', async () => {
    const users = Number((await lakehouse.source.query('SELECT count(*) FROM public.users')).rows[0]?.count);
    const [maintenance, backfill] = await Promise.all([
      runMachine('maintenance', {}),
      runMachine('backfill', { table: 'users' }),
      workload(5, 13),
    ]);
    expect(maintenance).toMatchObject({
      status: 'SUCCEEDED',
      output: { maintenance: expect.stringContaining('maintenance is sound') },
    });
    expect(backfill).toMatchObject({
      status: 'SUCCEEDED',
      output: { verdict: expect.stringContaining('public.users are in Kafka') },
    });
    const { medallion } = backfill.output as { medallion: string };
    await until('the medallion that the backfill started has ended', 300_000, async () => {
      const started = new DescribeExecutionCommand({ executionArn: medallion });
      return (await stepFunctions().send(started)).status !== 'RUNNING';
    });
    await publish(lakehouse);
    await expectLakeEqualsSource();
    const again = `SELECT count(*) FROM ${bronze('users')} WHERE snapshot = 'incremental'`;
    expect(Number(await lakeValue(lakehouse, again))).toBeGreaterThanOrEqual(users);
  }, 1_200_000);

  it('tells of a backfill whose condition fails at a row, which looks done to Debezium', async () => {
    expect(await runMachine('backfill', { table: 'users', condition: '1 / (id - id) > 0' })).toMatchObject({
      status: 'FAILED',
      cause: expect.stringContaining(
        'public.users is not whole - Debezium gave it up after 0 rows (SQL_EXCEPTION)',
      ),
    });
  });

  it('after TRUNCATE, with rows before and behind it in one transaction', async () => {
    await transact(
      `INSERT INTO public.orders (id, user_id, product_id, quantity, total_amount, status)
       SELECT 920000, min(id), (SELECT min(id) FROM public.products), 1, 5.00, 'pending' FROM public.users`,
      'TRUNCATE public.orders',
      `INSERT INTO public.orders (id, user_id, product_id, quantity, total_amount, status, created_at)
       SELECT 930000 + n, u.id, p.id, 1 + n % 5, round((n * 7.35)::numeric, 2), 'delivered', now() - n * interval '9 hours'
       FROM generate_series(1, 400) AS n
       JOIN LATERAL (SELECT id FROM public.users ORDER BY (id * n) % 97, id LIMIT 1) AS u ON true
       JOIN LATERAL (SELECT id FROM public.products ORDER BY (id * n) % 7, id LIMIT 1) AS p ON true`,
    );
    await publish(lakehouse);
    await expectLakeEqualsSource();
    expect(await lakeValue(lakehouse, `SELECT count(*) FROM ${silver('orders')} WHERE is_active`)).toBe(
      '400',
    );
    await workload(3, 12);
    await publish(lakehouse);
    await expectLakeEqualsSource();
  }, 1_200_000);

  it('with the same gold rows when gold is recomputed from nothing', async () => {
    const rows = async () => {
      const all: Record<string, (string | null)[][]> = {};
      for (const model of await goldModels()) {
        const name = lakeTable(lakehouse.deployment, 'gold', model);
        all[model] = await lakeRows(
          lakehouse,
          `SELECT * EXCEPT (_batch, processed_at) FROM ${name} ORDER BY 1`,
        );
      }
      return all;
    };
    const incremental = await rows();
    await recomputeGold(lakehouse);
    expect(await rows()).toEqual(incremental);
  }, 1_200_000);

  it('after the topics have been read again from offset 0', async () => {
    const { twin, registry, deployment } = lakehouse;
    const counts = async () =>
      lakeRows(
        lakehouse,
        registry.tables
          .map(({ id }) => `SELECT '${id}', count(*), count(DISTINCT offset) FROM ${bronze(id)}`)
          .join(' UNION ALL '),
      );
    await untilAllLanded(lakehouse);
    await publish(lakehouse);
    const before = await counts();
    await twin.supervisor.stop('pipe');
    await withAdmin(
      twin.urls.kafka,
      (admin) => admin.deleteGroups(pipePlans(deployment, registry).map(({ group }) => group)),
      5,
    );
    await startPipe(twin.supervisor, twin.state, {
      ...deployment,
      broker: twin.urls.kafka,
      endpointUrl: twin.urls.endpoint,
      region: REGION,
      bucket: lakeBucket(deployment),
    });
    await publish(lakehouse);
    expect(await counts()).toEqual(before);
    await expectLakeEqualsSource();
  }, 1_200_000);

  it('after landing files have come late and twice', async () => {
    const { folder, keys: old } = await landingFiles('public.orders');
    await workload(2, 13);
    await untilAllLanded(lakehouse);
    const { keys } = await landingFiles('public.orders');
    const fresh = keys.filter((key) => !old.includes(key));
    const [late] = fresh as [string];
    const held = path.join(lakehouse.twin.state.paths.root, 'held.gz');
    await rename(path.join(folder, late), held);
    await workload(2, 14);
    await untilAllLanded(lakehouse);
    await runOnce(lakehouse);
    const { bronze: report } = await latestReports(
      lakehouse.twin.urls.endpoint,
      lakeBucket(lakehouse.deployment),
    );
    const orders = report?.partitions?.find(({ topic }) => topic === 'cdc.public.orders');
    expect(orders?.gaps).toHaveLength(1);
    const copy = path.join(folder, path.dirname(late), 'delivered-again.gz');
    await mkdir(path.dirname(copy), { recursive: true });
    await copyFile(held, copy);
    await rename(held, path.join(folder, late));
    await copyFile(
      path.join(folder, old[0] as string),
      path.join(folder, path.dirname(late), 'an-old-one-again.gz'),
    );
    await publish(lakehouse);
    await expectLakeEqualsSource();
  }, 1_200_000);

  it('after an incremental snapshot beside a long open transaction on the same rows', async () => {
    const { source, adminUrl, twin } = lakehouse;
    const end = () =>
      withAdmin(
        twin.urls.kafka,
        async (admin) => Number((await admin.fetchTopicOffsets('cdc.public.orders'))[0]?.high),
        5,
      );
    const rows = Number(
      (await source.query<{ n: string }>('SELECT count(*) AS n FROM public.orders')).rows[0]?.n,
    );
    const open = new Client({ connectionString: twin.urls.source });
    const admin = new Client({ connectionString: adminUrl });
    await Promise.all([open.connect(), admin.connect()]);
    try {
      await open.query('BEGIN');
      await open.query('UPDATE public.orders SET quantity = quantity + 100 WHERE id % 2 = 0');
      const before = await end();
      await admin.query(
        `INSERT INTO ${platformTables(lakehouse.deployment).signal} (id, type, data)
         VALUES (gen_random_uuid()::text, 'execute-snapshot', '{"type": "incremental", "data-collections": ["public.orders"]}')`,
      );
      await until(
        'the incremental snapshot is in Kafka',
        300_000,
        async () => (await end()) >= before + rows,
      );
      await open.query("UPDATE public.orders SET status = 'returned' WHERE id % 5 = 0");
      await open.query('COMMIT');
    } finally {
      await Promise.all([open.end(), admin.end()]);
    }
    await publish(lakehouse);
    await expectLakeEqualsSource();
    expect(
      Number(
        await lakeValue(
          lakehouse,
          `SELECT count(*) FROM ${silver('orders')} WHERE is_active AND quantity > 100`,
        ),
      ),
    ).toBeGreaterThan(50);
  }, 1_200_000);

  it('after Connect, the pipe runner and the Spark worker have been killed at work', async () => {
    const { twin } = lakehouse;
    const pid = (child: string) => twin.state.read().children[child]?.pid as number;
    const kill = async (child: string) => {
      const victim = pid(child);
      process.kill(victim, 'SIGKILL');
      await until(
        `${child} has been started again`,
        300_000,
        async () => ![victim, undefined].includes(pid(child)),
      );
    };
    const work = workload(12, 15);
    work.catch(() => undefined); // it is awaited after the kills
    await kill('connect');
    await kill('pipe');
    const run = runOnce(lakehouse);
    await until('a job runs', 180_000, async () => {
      const answer = await fetch(`${twin.urls.spark}/runs`).catch(() => null);
      const { runs } = answer ? ((await answer.json()) as { runs: { state: string }[] }) : { runs: [] };
      return runs.some(({ state }) => state === 'RUNNING');
    });
    await kill('spark');
    expect((await run).status).toBe('FAILED');
    await work;
    await publishAfterCrash(lakehouse);
    await expectLakeEqualsSource();
  }, 1_200_000);
});
