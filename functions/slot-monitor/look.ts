import pg from 'pg';
import { HEARTBEAT_TABLE, type SourceConnection } from '../cdc/connector-config.ts';
import { splitTableId } from '../cdc/names.ts';
import { SLOT_QUERY, type SlotRow } from '../cdc/source-queries.ts';
import { withSource } from '../source-database/connection.ts';

const MANNER = { application: 'cdc-slot-monitor', connectWithinMs: 5_000, statementWithinMs: 5_000 };
const NO_SUCH_TABLE = '42P01';

const heartbeat = splitTableId(HEARTBEAT_TABLE);
const HEARTBEAT_QUERY = `SELECT extract(epoch FROM now() - ts)::float8 AS age FROM ${pg.escapeIdentifier(heartbeat.schema)}.${pg.escapeIdentifier(heartbeat.table)} WHERE id = 1`;

/** The slot (null: there is none), and the seconds since Debezium's last heartbeat (null: nothing was prepared). */
export type SlotLook = { slot: SlotRow | null; heartbeatAge: number | null };

/** Looks at a slot. @throws SourceUnreachableError when the source doesn't answer */
export function lookAtSlot(connection: SourceConnection, name: string): Promise<SlotLook> {
  return withSource(connection, MANNER, async (client) => {
    const { rows } = await client.query<SlotRow>(SLOT_QUERY, [name]);
    return { slot: rows[0] ?? null, heartbeatAge: await heartbeatAge(client) };
  });
}

async function heartbeatAge(client: pg.Client): Promise<number | null> {
  try {
    const { rows } = await client.query<{ age: number }>(HEARTBEAT_QUERY);
    return rows[0]?.age ?? null;
  } catch (error) {
    if ((error as pg.DatabaseError).code === NO_SUCH_TABLE) return null;
    throw error;
  }
}
