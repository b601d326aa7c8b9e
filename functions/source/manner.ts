import type { Manner } from '../source-database/connection.ts';

/** How this function connects. */
export const MANNER: Manner = {
  application: 'cdc-source',
  connectWithinMs: 10_000,
  statementWithinMs: 60_000,
};
