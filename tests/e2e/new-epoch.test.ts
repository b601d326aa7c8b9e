import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { slotName } from '../../functions/cdc/connector-config.ts';
import { lakeTable } from '../../functions/cdc/names.ts';
import { withAdmin } from '../../local/kafka/broker.ts';
import {
  compareAll,
  type Lakehouse,
  lakeRows,
  lakeValue,
  noDifferences,
  openLakehouse,
  publish,
  until,
} from './harness.ts';

/** 100 users, 10 products, 1,000 orders. */
const SCALE = 0.02;
let lakehouse: Lakehouse;

beforeAll(async () => {
  lakehouse = await openLakehouse(SCALE);
}, 300_000);

afterAll(async () => {
  await lakehouse?.close();
}, 120_000);

async function expectLakeEqualsSource(): Promise<void> {
  expect(await compareAll(lakehouse)).toEqual(await noDifferences(lakehouse));
}

const ends = () =>
  withAdmin(
    lakehouse.twin.urls.kafka,
    async (admin) =>
      Promise.all(
        lakehouse.registry.tables.map(async ({ id, topic }): Promise<[string, number]> => {
          const [end] = await admin.fetchTopicOffsets(topic);
          return [id, Number(end?.high)];
        }),
      ),
    5,
  );

const bronze = (table: string) => lakeTable(lakehouse.deployment, 'bronze', table);
const silver = (table: string) => lakeTable(lakehouse.deployment, 'silver', table);

async function change(...statements: string[]): Promise<void> {
  for (const statement of statements) await lakehouse.source.query(statement);
}

const order = (id: number, notes: string) =>
  `INSERT INTO public.orders (id, user_id, product_id, quantity, total_amount, status, notes)
   SELECT ${id}, min(u.id), (SELECT min(id) FROM public.products), 1, 77.50, 'pending', ${notes} FROM public.users AS u`;
const LARGE = "(SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 400))";

/** Changes until Debezium has passed them on, which the pipe has not. */
async function leaveUnderWay(): Promise<void> {
  await lakehouse.twin.supervisor.stop('pipe');
  const before = new Map(await ends());
  await change(
    "UPDATE public.orders SET status = 'shipped' WHERE id = 900001",
    order(900002, "'under way'"),
    'DELETE FROM public.orders WHERE id = 900003',
  );
  await until('the changes are in Kafka', 60_000, async () => {
    const now = new Map(await ends());
    return Number(now.get('public.orders')) >= Number(before.get('public.orders')) + 4;
  });
}

/** The server throws the log away that the slot still needs, while Debezium is away and the application goes on. */
async function loseSlot(): Promise<void> {
  await lakehouse.twin.supervisor.stop('connect');
  const slot = slotName(lakehouse.deployment);
  const admin = new Client({ connectionString: lakehouse.adminUrl });
  await admin.connect();
  try {
    await admin.query("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'");
    await admin.query('SELECT pg_reload_conf()');
    await until('the slot is lost', 60_000, async () => {
      await change('UPDATE public.orders SET quantity = quantity + 1 WHERE id % 7 = 0');
      await admin.query('SELECT pg_switch_wal()');
      await admin.query('CHECKPOINT');
      const { rows } = await admin.query(
        `SELECT wal_status FROM pg_replication_slots WHERE slot_name = '${slot}'`,
      );
      return rows[0]?.wal_status === 'lost';
    });
    await admin.query('ALTER SYSTEM RESET max_slot_wal_keep_size');
    await change(order(900004, LARGE), "UPDATE public.orders SET status = 'delivered' WHERE id = 900001");
  } finally {
    await admin.end();
  }
}

it('ends equal to the source when the slot was lost and only the epoch was raised', async () => {
  await change(order(900001, LARGE), order(900003, "'goes'"));
  await publish(lakehouse);
  await leaveUnderWay();
  const oldEnds = await ends();
  await loseSlot();

  lakehouse = await lakehouse.restart(2);
  await publish(lakehouse);

  await expectLakeEqualsSource();
  for (const [table, end] of oldEnds) {
    const epochs = `SELECT epoch, min(offset) >= ${end}, max(offset) < ${end}, count(*) = count(DISTINCT offset) FROM ${bronze(table)} GROUP BY epoch ORDER BY epoch`;
    expect(await lakeRows(lakehouse, epochs)).toEqual([
      ['1', 'false', 'true', 'true'],
      ['2', 'true', 'false', 'true'],
    ]);
  }
  const underWay = `SELECT payload LIKE '%under way%' FROM ${bronze('orders')} WHERE epoch = 1 AND key = '{"id":900002}'`;
  expect(await lakeValue(lakehouse, underWay)).toBe('true');
  const unchanged = `SELECT unchanged FROM ${bronze('orders')} WHERE epoch = 1 AND op = 'u' AND key = '{"id":900001}'`;
  expect(await lakeValue(lakehouse, unchanged)).toContain('notes');
  const left = `SELECT count(*) FROM ${silver('orders')} WHERE is_active AND _epoch < 2`;
  expect(await lakeValue(lakehouse, left)).toBe('0');
}, 900_000);

it('goes on in the new epoch', async () => {
  await change(
    "UPDATE public.orders SET status = 'returned' WHERE id = 900001",
    'DELETE FROM public.orders WHERE id = 900002',
    order(900005, "'later'"),
  );
  await publish(lakehouse);
  await expectLakeEqualsSource();
}, 480_000);
