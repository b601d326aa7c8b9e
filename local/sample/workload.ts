import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import {
  activities,
  Choice,
  launchProduct,
  type Operation,
  type Statement,
  signUp,
  type Table,
} from './activities.ts';
import { weightedIndex } from './distributions.ts';
import { SampleWriter } from './rows.ts';

export type WorkloadCounts = {
  transactions: number;
  /** Changed rows. */
  changes: number;
  tables: Record<Table, Record<Operation, number>>;
  seconds: number;
};

export type WorkloadOptions = {
  /** Changed rows a second, over all tables; fewer when the database can't follow. */
  rate: number;
  seconds: number;
  /** Ends the workload after the transaction at work. */
  signal?: AbortSignal;
  /** Called about every second. */
  onProgress?: (counts: WorkloadCounts) => void;
  /** Fix it to make the same choices again; by default each run is another. */
  seed?: number;
};

const PROGRESS_EVERY_S = 1;
const TABLES = ['users', 'products', 'orders'] as const;
/** Foreign key or unique violation, serialisation failure, deadlock: somebody else works on the same rows. */
const CONFLICTS = ['23503', '23505', '40001', '40P01'];

/**
 * Works on the sample tables as a shop's application would, in transactions of one to three rows: orders and their
 * life, sign-ups, new addresses, prices and stock, notes, deletions. Never truncates and never changes a key.
 * @throws Error when the tables are missing or a statement fails for another reason than a conflict.
 */
export async function runWorkload(
  client: pg.ClientBase,
  { rate, seconds, signal, onProgress, seed = Date.now() }: WorkloadOptions,
): Promise<WorkloadCounts> {
  if (!(rate > 0)) throw new Error(`The workload's rate is ${rate}; it must be above 0 changes a second.`);
  const writer = new SampleWriter(seed);
  const highest = await highestIds(client);
  const choice = new Choice(writer, highest, seed.toString(36));
  const counts = noCounts();
  const transact = (statements: Statement[]) => runTransaction(client, statements, choice, counts);
  // A shop with no people or nothing to sell could do nothing at all.
  if (highest.users === 0) await transact([signUp(choice)]);
  if (highest.products === 0) await transact([launchProduct(choice)]);

  const all = activities(choice);
  const next = weightedIndex(
    all.map(({ weight }) => weight),
    writer.random,
  );
  const started = performance.now();
  const elapsed = () => (performance.now() - started) / 1_000;
  let progressAt = PROGRESS_EVERY_S;
  while (elapsed() < seconds && !signal?.aborted) {
    const early = Math.min(counts.changes / rate, seconds) - elapsed();
    if (early > 0) await pause(Math.min(early, PROGRESS_EVERY_S) * 1_000, null, { signal }).catch(() => null);
    else await transact(all[next()]?.statements() ?? []);
    if (elapsed() < progressAt) continue;
    progressAt += PROGRESS_EVERY_S;
    onProgress?.({ ...counts, seconds: elapsed() });
  }
  return { ...counts, seconds: elapsed() };
}

async function highestIds(client: pg.ClientBase): Promise<Record<Table, number>> {
  const highest = { users: 0, products: 0, orders: 0 };
  for (const table of TABLES) {
    const { rows } = await client.query<{ id: string }>(
      `SELECT COALESCE(max(id), 0) AS id FROM public.${table}`,
    );
    highest[table] = Number(rows[0]?.id);
  }
  return highest;
}

function noCounts(): Omit<WorkloadCounts, 'seconds'> {
  const none = () => ({ insert: 0, update: 0, delete: 0 });
  return { transactions: 0, changes: 0, tables: { users: none(), products: none(), orders: none() } };
}

async function runTransaction(
  client: pg.ClientBase,
  statements: Statement[],
  choice: Choice,
  counts: Omit<WorkloadCounts, 'seconds'>,
): Promise<void> {
  const done: Statement[] = [];
  await client.query('BEGIN');
  try {
    for (const statement of statements) {
      const { rowCount, rows } = await client.query<{ id: string }>(statement.sql, statement.values);
      if (!rowCount) break;
      done.push(statement);
      if (statement.operation === 'insert') choice.made(statement.table, Number(rows[0]?.id));
    }
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    if (CONFLICTS.includes((error as pg.DatabaseError).code ?? '')) return;
    throw new Error(`The workload failed: ${(error as Error).message}`, { cause: error });
  }
  if (done.length > 0) counts.transactions += 1;
  counts.changes += done.length;
  for (const { table, operation } of done) counts.tables[table][operation] += 1;
}
