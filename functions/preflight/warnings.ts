import type { SlotRow } from '../cdc/source-queries.ts';

/** Something about the path before the landing zone that people should know; the run goes on with what has landed. */
export type Warning = { code: string; message: string };

/** What Kafka Connect said about the connector; `unreachable` why it said nothing. */
export type ConnectAnswer = { unreachable: string } | { cluster: string; status: ConnectorStatus | null };

/** `GET /connectors/<name>/status`, what is used of it. */
export type ConnectorStatus = {
  connector: { state: string; trace?: string };
  tasks: { id: number; state: string; trace?: string }[];
};

/** What the source said: its slot (null: there is none), or why it said nothing. */
export type SourceAnswer = { unreachable: string } | { slot: SlotRow | null };

/** What people should know of the connector. */
export function connectWarnings(answer: ConnectAnswer, connector: string): Warning[] {
  if ('unreachable' in answer) {
    const message = `Kafka Connect does not answer: ${answer.unreachable}. No change arrives until it runs.`;
    return [{ code: 'connect-unreachable', message }];
  }
  if (answer.status === null) {
    const message = `Kafka Connect has no connector ${connector}: nothing is captured. Deploy the connector.`;
    return [{ code: 'connector-missing', message }];
  }
  const { connector: main, tasks } = answer.status;
  const parts = [{ what: `Connector ${connector}`, ...main }].concat(
    tasks.map((task) => ({ what: `Task ${task.id} of ${connector}`, ...task })),
  );
  return parts
    .filter(({ state }) => state !== 'RUNNING')
    .map(({ what, state, trace }) => ({
      code: `connector-${state.toLowerCase()}`,
      message: `${what} is ${state}${trace ? `: ${trace.split('\n')[0]}` : ''}. Nothing is captured until it runs again.`,
    }));
}

/** What people should know of the replication slot; `budget`: bytes of WAL that may wait for the connector. */
export function slotWarnings(answer: SourceAnswer, slot: string, budget: bigint): Warning[] {
  if ('unreachable' in answer) {
    const message = `The source database does not answer: ${answer.unreachable}.`;
    return [{ code: 'source-unreachable', message }];
  }
  const row = answer.slot;
  if (row === null) {
    const message = `The source has no replication slot ${slot}: the connector has not started, or the slot was dropped and the tables must be snapshotted anew.`;
    return [{ code: 'slot-missing', message }];
  }
  if (row.wal_status === 'lost') {
    const message = `Replication slot ${slot} is lost: the source removed WAL that was not read yet. Raise epoch in tables.yml and snapshot the tables anew.`;
    return [{ code: 'slot-lost', message }];
  }
  const lag = BigInt(row.lag_bytes ?? '0');
  if (lag <= budget) return [];
  const message = `The connector is ${mebibytes(lag)} MiB of WAL behind the source, ${mebibytes(budget)} MiB are allowed; the source keeps ${mebibytes(BigInt(row.retained_bytes ?? '0'))} MiB for it.`;
  return [{ code: 'slot-lag', message }];
}

function mebibytes(bytes: bigint): string {
  return String(bytes / 1024n ** 2n);
}
