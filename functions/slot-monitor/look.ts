import pg from 'pg';
import type { SourceConnection } from '../cdc/connector-config.ts';
import { splitTableId } from '../cdc/names.ts';
import { SLOT_QUERY, type SlotRow } from '../cdc/source-queries.ts';
import { withSource } from '../source-database/connection.ts';

const MANNER = { application: 'cdc-slot-monitor', connectWithinMs: 5_000, statementWithinMs: 5_000 };
const NO_SUCH_TABLE = '42P01';

/** The slot (null: there is none), and the seconds since Debezium's last heartbeat (null: nothing was prepared). */
export type SlotLook = { slot: SlotRow | null; heartbeatAge: number | null };

/**
 * Looks at a slot, and at the table that its connector updates.
 * @throws SourceUnreachableError when the source doesn't answer
 */
export function lookAtSlot(
  connection: SourceConnection,
  name: string,
  heartbeatTable: string,
): Promise<SlotLook> {
  return withSource(connection, MANNER, async (client) => {
    const { rows } = await client.query<SlotRow>(SLOT_QUERY, [name]);
    return { slot: rows[0] ?? null, heartbeatAge: await heartbeatAge(client, heartbeatTable) };
  });
}

async function heartbeatAge(client: pg.Client, id: string): Promise<number | null> {
  const { schema, table } = splitTableId(id);
  const name = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)}`;
  try {
    const { rows } = await client.query<{ age: number }>(
      `SELECT extract(epoch FROM now() - ts)::float8 AS age FROM ${name} WHERE id = 1`,
    );
    return rows[0]?.age ?? null;
  } catch (error) {
    if ((error as pg.DatabaseError).code === NO_SUCH_TABLE) return null;
    throw error;
  }
}
