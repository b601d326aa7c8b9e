import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import { type SampleOptions, sampleRows } from './rows.ts';

const SCHEMA_FOLDER = join(import.meta.dirname, '..', '..', 'sql', 'source');
const ROWS_A_STATEMENT = 10_000;

/** Types of the columns that are loaded. */
const COLUMNS = {
  users: {
    id: 'bigint',
    name: 'text',
    email: 'text',
    country: 'text',
    bio: 'text',
    created_at: 'timestamptz',
  },
  products: {
    id: 'bigint',
    name: 'text',
    price: 'numeric',
    category: 'text',
    stock: 'int',
    created_at: 'timestamptz',
  },
  orders: {
    id: 'bigint',
    user_id: 'bigint',
    product_id: 'bigint',
    quantity: 'int',
    total_amount: 'numeric',
    status: 'text',
    notes: 'text',
    created_at: 'timestamptz',
    updated_at: 'timestamptz',
  },
};

type Table = keyof typeof COLUMNS;

/** Makes the sample tables where they are missing. */
export async function createSampleSchema(client: pg.ClientBase): Promise<void> {
  const files = readdirSync(SCHEMA_FOLDER).filter((name) => name.endsWith('.sql'));
  for (const file of files.sort()) await client.query(readFileSync(join(SCHEMA_FOLDER, file), 'utf8'));
}

/**
 * Fills the sample tables in one transaction, parents before children, and analyses them. Tables that hold rows are
 * left alone.
 * @returns the number of rows of each table, or null when there was something already.
 */
export async function loadSample(
  client: pg.ClientBase,
  options: SampleOptions,
  onProgress: (table: string, rows: number, of: number) => void = () => undefined,
): Promise<Record<Table, number> | null> {
  if (await holdsRows(client)) return null;
  const rows = sampleRows(options);
  await client.query('BEGIN');
  try {
    for (const table of ['users', 'products', 'orders'] as const) {
      await insertRows(client, table, rows[table], (done, of) => onProgress(table, done, of));
    }
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw new Error(`The sample data could not be loaded: ${(error as Error).message}`, { cause: error });
  }
  await client.query('ANALYZE public.users, public.products, public.orders');
  return { users: rows.users.id.length, products: rows.products.id.length, orders: rows.orders.id.length };
}

async function holdsRows(client: pg.ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ some: boolean }>(
    `SELECT EXISTS (SELECT FROM public.users) OR EXISTS (SELECT FROM public.products)
      OR EXISTS (SELECT FROM public.orders) AS "some"`,
  );
  return rows[0]?.some ?? false;
}

async function insertRows(
  client: pg.ClientBase,
  table: Table,
  rows: Record<string, readonly unknown[]>,
  onProgress: (rows: number, of: number) => void,
): Promise<void> {
  const columns = Object.entries(COLUMNS[table]);
  const names = columns.map(([name]) => name);
  // A row begins its life as it is, unless it says when it was changed last.
  const touched = names.includes('updated_at') ? '' : ', updated_at';
  const sql = `INSERT INTO public.${table} (${names.join(', ')}${touched})
SELECT r.*${touched === '' ? '' : ', r.created_at'}
FROM unnest(${columns.map(([, type], index) => `$${index + 1}::${type}[]`).join(', ')}) AS r (${names.join(', ')})`;
  const total = rows['id']?.length ?? 0;
  for (let start = 0; start < total; start += ROWS_A_STATEMENT) {
    const end = Math.min(start + ROWS_A_STATEMENT, total);
    await client.query(
      sql,
      names.map((name) => rows[name]?.slice(start, end)),
    );
    onProgress(end, total);
  }
  await client.query(
    `SELECT setval(pg_get_serial_sequence('public.${table}', 'id'), greatest((SELECT max(id) FROM public.${table}), 1))`,
  );
}
