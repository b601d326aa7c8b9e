import type { ConnectorOffsets } from './connect-api.ts';

/** How far an incremental snapshot is. It is done when it has been seen and runs no longer. */
export type IncrementalSnapshot = {
  /** The connector has read the source's log beyond the signal. */
  seen: boolean;
  running: boolean;
  /** Tables that are still to be read, the current one first. */
  tables: string[];
};

/** Debezium keeps what is left of the snapshot with each offset, and nothing once it has ended. */
const COLLECTIONS = 'incremental_snapshot_collections';
const COLLECTION_ID = 'incremental_snapshot_collections_id';

/**
 * Judges by the offset that the connector has committed.
 * @param after LSN, decimal, of a position behind the signal; without it the signal counts as seen
 */
export function incrementalOf(
  offsets: ConnectorOffsets | null,
  after: string | undefined,
): IncrementalSnapshot {
  const offset = offsets?.offsets[0]?.offset ?? {};
  const tables = tablesOf(offset[COLLECTIONS]);
  // A number in Connect's JSON; exact up to 8 PiB of log.
  const lsn = typeof offset['lsn'] === 'number' ? BigInt(offset['lsn']) : undefined;
  const seen = after === undefined || (lsn !== undefined && lsn >= BigInt(after));
  return { seen, running: tables.length > 0, tables };
}

function tablesOf(collections: unknown): string[] {
  if (typeof collections !== 'string' || collections === '') return [];
  return (JSON.parse(collections) as Record<string, string>[]).flatMap(({ [COLLECTION_ID]: id }) => id ?? []);
}
