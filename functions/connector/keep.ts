import { epochOf } from '../cdc/connector-config.ts';
import { type Applied, applyConnector, ConnectorFailedError, restartFailed } from './apply.ts';
import type { ConnectorCondition } from './condition.ts';
import { type ConnectApi, type ConnectorStatus, ConnectUnreachableError } from './connect-api.ts';
import type { RestartLimit } from './restart-limit.ts';

/** What a look at the connector found and did. */
export type Kept = {
  /**
   * `refused`: the plugin doesn't take the configuration; the one before stays. `absent`: there is no connector.
   * `unreachable`: Connect doesn't answer.
   */
  applied: Applied | 'refused' | 'absent' | 'unreachable';
  condition: ConnectorCondition | null;
  failedTasks: number;
  restarts: number;
  /** What people should know; null when all is well. */
  problem: string | null;
};

/** One, and no long wait: the next look comes within a minute and must not meet this one. */
const RESTARTS_AT_ONCE = 1;
const SETTLED_WITHIN_MS = 20_000;

/**
 * Keeps a connector as it is declared: puts its configuration where it differs, and starts again what has failed, as
 * often as `limit` still allows. One that somebody stopped stays stopped, and one that was taken away is not put back: it
 * would take a new snapshot, which must be somebody's wish (`apply`, which a deployment asks for). One of another epoch is
 * left to `apply`: with the settings of a new one, such as another source, it would go on writing in the old one.
 */
export async function keepConnector(
  api: ConnectApi,
  name: string,
  config: Readonly<Record<string, string>>,
  limit: RestartLimit,
): Promise<Kept> {
  try {
    const refused = await applyOrRefusal(api, name, config);
    const allowed = Math.min(RESTARTS_AT_ONCE, limit.left());
    const { condition, restarts } = await restartFailed(api, name, allowed, SETTLED_WITHIN_MS);
    limit.count(restarts);
    const failedTasks = failedIn(await api.status(name));
    const problem = refused.problem ?? problemOf(name, condition, allowed);
    return { applied: refused.applied, condition, failedTasks, restarts, problem };
  } catch (error) {
    if (!(error instanceof ConnectUnreachableError)) throw error;
    return { applied: 'unreachable', condition: null, failedTasks: 0, restarts: 0, problem: error.message };
  }
}

async function applyOrRefusal(
  api: ConnectApi,
  name: string,
  config: Readonly<Record<string, string>>,
): Promise<{ applied: Kept['applied']; problem: string | null }> {
  try {
    const current = await api.config(name);
    if (current === null) return { applied: 'absent', problem: null };
    if (epochOf(current) !== epochOf(config)) return { applied: 'unchanged', problem: null };
    return { applied: await applyConnector(api, name, config), problem: null };
  } catch (error) {
    if (!(error instanceof ConnectorFailedError)) throw error;
    return { applied: 'refused', problem: error.message };
  }
}

function problemOf(name: string, { state, error }: ConnectorCondition, allowed: number): string | null {
  if (state === 'running') return null;
  if (state === 'absent') {
    return `Kafka Connect has no connector ${name}: nothing is captured. Raise epoch in tables.yml and deploy: a connector begins with a snapshot of all tables, and rows that were deleted meanwhile are told by their older epoch.`;
  }
  if (state !== 'failed')
    return `The connector ${name} is ${state}: nothing is captured, and the slot keeps the log.`;
  const next =
    allowed > 0
      ? 'It is tried again on the next look.'
      : 'It failed too often in this hour and is not tried again now.';
  return `The connector ${name} has failed: ${error}. ${next}`;
}

function failedIn(status: ConnectorStatus | null): number {
  return status?.tasks.filter(({ state }) => state === 'FAILED').length ?? 0;
}
