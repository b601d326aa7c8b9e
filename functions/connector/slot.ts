import { setTimeout as pause } from 'node:timers/promises';
import type { SourceConnection } from '../cdc/connector-config.ts';
import { SLOT_QUERY, type SlotRow } from '../cdc/source-queries.ts';
import { withSource } from '../source-database/connection.ts';

const MANNER = { application: 'cdc-connector', connectWithinMs: 10_000, statementWithinMs: 30_000 };
/** A connector that was stopped a moment ago may still be streaming. */
const SLOT_FREE_WITHIN_MS = 30_000;
const POLL_MS = 200;

/**
 * Drops the replication slot, also one that the server has invalidated.
 * @returns false when there is none
 * @throws Error when it is still in use after `freeWithinMs`; SourceUnreachableError
 */
export function dropSlot(
  connection: SourceConnection,
  slot: string,
  freeWithinMs = SLOT_FREE_WITHIN_MS,
): Promise<boolean> {
  return withSource(connection, MANNER, async (client) => {
    for (const deadline = Date.now() + freeWithinMs; ; await pause(POLL_MS)) {
      const { rows } = await client.query<SlotRow>(SLOT_QUERY, [slot]);
      const [found] = rows;
      if (found === undefined) return false;
      if (!found.active) {
        await client.query('SELECT pg_drop_replication_slot($1)', [slot]);
        return true;
      }
      if (Date.now() > deadline) {
        throw new Error(
          `The replication slot ${slot} is in use by process ${found.active_pid}, so it can't be dropped for the new epoch; end what reads it and deploy again.`,
        );
      }
    }
  });
}
