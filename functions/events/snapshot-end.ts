/** What is read of one of Debezium's notifications. */
export type Notification = {
  /** For an incremental snapshot that of the signal. */
  id: string;
  /** STARTED, IN_PROGRESS, TABLE_SCAN_COMPLETED, COMPLETED and so on. */
  type: string;
  /** Of a TABLE_SCAN_COMPLETED: how the reading of a table ended, e.g. SUCCEEDED or SQL_EXCEPTION. */
  status: string | null;
  /** Rows that were read by then, as Debezium counts them. */
  rows: string | null;
};

/** Whether an incremental snapshot has read all that it was asked for; if not, why, as the end of a sentence. */
export type SnapshotEnd = { whole: boolean; reason: string };

/** EMPTY: no row meets the condition. */
const WELL = ['SUCCEEDED', 'EMPTY'];

/**
 * Judges a snapshot that is over by what Debezium told of it
 * (https://debezium.io/documentation/reference/3.7/configuration/notification.html). Signals that overlap share the id
 * of the last one (Debezium 3.7.0), so that one table that failed is a failure whatever the others did.
 * @param signal id of the signal that asked for it
 */
export function snapshotEnd(signal: string, notifications: readonly Notification[]): SnapshotEnd {
  const told = notifications.filter(({ id }) => id === signal);
  const scans = told.filter(({ type }) => type === 'TABLE_SCAN_COMPLETED');
  const failed = scans.find(({ status }) => !WELL.includes(status ?? ''));
  if (failed !== undefined) {
    return {
      whole: false,
      reason: `Debezium gave it up after ${failed.rows ?? 'some'} rows (${failed.status ?? 'for no reason that it told'}): a query failed, and the log of Kafka Connect says at what. A condition must hold at every row: mend it and ask again`,
    };
  }
  if (scans.length > 0) return { whole: true, reason: 'Debezium read to its end' };
  return {
    whole: false,
    reason:
      told.length > 0
        ? 'it was stopped before its end'
        : `Debezium told nothing of its end: another signal may have come in between. Ask again`,
  };
}
