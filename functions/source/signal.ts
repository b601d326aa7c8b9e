import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { PlatformTables, SourceConnection } from '../cdc/connector-config.ts';
import { splitTableId, tableId } from '../cdc/names.ts';
import { withSource } from '../source-database/connection.ts';
import { MANNER } from './manner.ts';
import { rowFilter } from './row-filter.ts';

const { escapeIdentifier } = pg;

/**
 * A request that Debezium will read from the log. Once it has read beyond `lsn` (decimal), it has seen the request.
 * `rows`: how many the table has, as PostgreSQL estimates; 0 where it has not looked yet.
 */
export type Signal = { signal: string; table: string; lsn: string; rows: number };

/** Whose connector is asked, and for which tables it may be. */
export type Capture = { tables: readonly { id: string }[]; platform: Pick<PlatformTables, 'signal'> };

/**
 * Asks Debezium to read a captured table again beside the stream (an incremental snapshot, see
 * https://debezium.io/documentation/reference/3.7/configuration/signalling.html).
 * @param name of the table, with or without its schema
 * @param condition SQL predicate; the rows that it holds for, or all
 * @throws Error for a table that can't be read so, or a condition that PostgreSQL doesn't understand
 */
export async function signalSnapshot(
  connection: SourceConnection,
  capture: Capture,
  name: string,
  condition?: string,
): Promise<Signal> {
  const table = capturedTable(name, capture);
  const filter = condition === undefined ? undefined : rowFilter(condition);
  return withSource(connection, MANNER, async (client) => {
    await refuseWithoutKey(client, table);
    if (condition !== undefined && filter !== undefined) {
      // As it is given, and as Debezium gets it: each form lets things through that the other one doesn't.
      await refuseUnplanned(client, table, { name: 'given', predicate: condition });
      await refuseUnplanned(client, table, { name: 'filter', predicate: filter });
    }
    const pattern = literalPattern(table);
    return send(client, capture, table, 'execute-snapshot', {
      type: 'incremental',
      'data-collections': [pattern],
      ...(filter === undefined ? {} : { 'additional-conditions': [{ 'data-collection': pattern, filter }] }),
    });
  });
}

/** Asks Debezium to end an incremental snapshot of a table. @throws Error for a table that isn't captured */
export async function signalStop(
  connection: SourceConnection,
  capture: Capture,
  name: string,
): Promise<Signal> {
  const table = capturedTable(name, capture);
  return withSource(connection, MANNER, (client) =>
    send(client, capture, table, 'stop-snapshot', {
      type: 'incremental',
      'data-collections': [literalPattern(table)],
    }),
  );
}

function capturedTable(name: string, { tables }: Capture): string {
  const id = tableId(name);
  const captured = tables.map((table) => table.id);
  if (captured.includes(id)) return id;
  throw new Error(`The table ${id} is not captured; use one of ${captured.join(', ')}.`);
}

/** Debezium reads in pieces by key, and passes over a table without one. */
async function refuseWithoutKey(client: pg.Client, table: string): Promise<void> {
  const { rows } = await client.query(
    `SELECT FROM pg_catalog.pg_index WHERE indrelid = to_regclass($1) AND indisprimary`,
    [quoted(table)],
  );
  if (rows.length > 0) return;
  throw new Error(
    `The table ${table} has no primary key, without which Debezium can't read it in pieces; give it one, or snapshot all tables anew in a new epoch.`,
  );
}

/** Only planned, not run; as a prepared statement, which can't hold a second one. */
async function refuseUnplanned(
  client: pg.Client,
  table: string,
  { name, predicate }: { name: string; predicate: string },
): Promise<void> {
  try {
    await client.query({ name, text: `EXPLAIN SELECT FROM ${quoted(table)} WHERE ${predicate}` });
  } catch (error) {
    throw new Error(`The condition can't be used on ${table}: ${(error as Error).message}.`, {
      cause: error,
    });
  }
}

async function send(
  client: pg.Client,
  { platform }: Capture,
  table: string,
  type: string,
  data: object,
): Promise<Signal> {
  const signal = randomUUID();
  await client.query(`INSERT INTO ${quoted(platform.signal)} (id, type, data) VALUES ($1, $2, $3)`, [
    signal,
    type,
    JSON.stringify(data),
  ]);
  const { rows } = await client.query<{ lsn: string; rows: number }>(
    `SELECT (pg_current_wal_lsn() - '0/0'::pg_lsn)::text AS lsn, greatest(reltuples, 0)::float8 AS rows
       FROM pg_catalog.pg_class WHERE oid = to_regclass($1)`,
    [quoted(table)],
  );
  const [seen] = rows;
  if (!seen) throw new Error(`The table ${table} is not there any more; its snapshot finds nothing.`);
  return { signal, table, ...seen };
}

/** Debezium reads table names as regular expressions. */
function literalPattern(table: string): string {
  return table.replaceAll('.', '\\.');
}

function quoted(table: string): string {
  const { schema, table: name } = splitTableId(table);
  return `${escapeIdentifier(schema)}.${escapeIdentifier(name)}`;
}
