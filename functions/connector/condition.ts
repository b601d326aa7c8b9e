import type { ConnectorOffsets, ConnectorStatus, ConnectState } from './connect-api.ts';

/** How a connector does, in one word each. */
export type ConnectorCondition = {
  /** `absent`: no such connector; `starting`: its task isn't running yet; `stopped`: by someone's wish. */
  state: 'absent' | 'starting' | 'running' | 'stopped' | 'failed';
  /** `complete` once every row of the initial snapshot has been acknowledged by Kafka. */
  snapshot: 'pending' | 'running' | 'complete';
  /** Why it failed, in Debezium's own words; null while it hasn't. */
  error: string | null;
};

const STOPPED: readonly ConnectState[] = ['PAUSED', 'STOPPED', 'DESTROYED'];

/** Judges a connector by what Connect says of it and by the offsets it has committed. */
export function conditionOf(
  status: ConnectorStatus | null,
  offsets: ConnectorOffsets | null,
): ConnectorCondition {
  const snapshot = snapshotOf(offsets);
  if (status === null) return { state: 'absent', snapshot, error: null };
  const parts = [status.connector, ...status.tasks];
  const failed = parts.find(({ state }) => state === 'FAILED');
  if (failed) return { state: 'failed', snapshot, error: rootCause(failed.trace ?? 'it gave no reason') };
  if (parts.some(({ state }) => STOPPED.includes(state))) return { state: 'stopped', snapshot, error: null };
  const running = status.tasks.length > 0 && parts.every(({ state }) => state === 'RUNNING');
  return { state: running ? 'running' : 'starting', snapshot, error: null };
}

/**
 * While it takes the initial snapshot, Debezium marks the offset of every row with `snapshot`; the first offset
 * committed afterwards, at the latest that of the next heartbeat, has no such mark. Connect commits an offset only when
 * Kafka has acknowledged the records before it, so the mark's absence proves that all rows are in their topics.
 */
function snapshotOf(offsets: ConnectorOffsets | null): ConnectorCondition['snapshot'] {
  const offset = offsets?.offsets[0]?.offset;
  if (!offset) return 'pending';
  return 'snapshot' in offset && offset['snapshot_completed'] !== true ? 'running' : 'complete';
}

/** The messages of a Java stack trace from the outermost to the innermost cause, each said once, without frames. */
export function rootCause(trace: string): string {
  const causes = trace
    .split('\n')
    .filter((line, index) => index === 0 || line.startsWith('Caused by: '))
    .map((line) =>
      line
        .replace(/^Caused by: /, '')
        .replace(/^(?:[a-z_]\w*\.)+([A-Z]\w*)/, '$1')
        .trim(),
    );
  const kept = causes.filter(
    (cause, index) => !causes.slice(index + 1).some((inner) => cause.endsWith(inner)),
  );
  return kept.join(' <- ');
}
