import { setTimeout as pause } from 'node:timers/promises';
import { type ConnectorCondition, conditionOf } from './condition.ts';
import type { ConnectApi } from './connect-api.ts';

/** What putting the configuration changed. */
export type Applied = 'created' | 'changed' | 'unchanged';

/** The connector can't do its work; the message is Debezium's own with what to do next. */
export class ConnectorFailedError extends Error {
  override name = 'ConnectorFailedError';
}

const POLL_MS = 100;
const RESTART_SEEN_WITHIN_MS = 10_000;

/**
 * Puts a connector's configuration. The same configuration is not put again: Connect would restart the connector.
 * @throws ConnectorFailedError naming each setting that the plugin refuses
 */
export async function applyConnector(
  api: ConnectApi,
  name: string,
  config: Readonly<Record<string, string>>,
): Promise<Applied> {
  const current = await api.config(name);
  if (current !== null && sameConfig(current, { ...config, name })) return 'unchanged';
  await refuseInvalid(api, name, config);
  await api.put(name, config);
  return current === null ? 'created' : 'changed';
}

/** @throws ConnectorFailedError naming each setting that the plugin refuses */
export async function refuseInvalid(
  api: ConnectApi,
  name: string,
  config: Readonly<Record<string, string>>,
): Promise<void> {
  const refused = await api.validate({ ...config, name });
  if (refused.length === 0) return;
  const lines = refused.map(({ name: setting, errors }) => `  - ${setting}: ${errors.join('; ')}`);
  throw new ConnectorFailedError(`The connector ${name} would not start:\n${lines.join('\n')}`);
}

function sameConfig(one: Readonly<Record<string, string>>, other: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => one[key] === other[key]);
}

/** How the connector does now. */
export async function readCondition(api: ConnectApi, name: string): Promise<ConnectorCondition> {
  const status = await api.status(name);
  return conditionOf(status, status && (await api.offsets(name)));
}

/**
 * Starts a failed connector or task again, at most `limit` times, and waits each time until it runs or fails again.
 * Returns the condition it ends in and how many restarts it took.
 */
export async function restartFailed(
  api: ConnectApi,
  name: string,
  limit: number,
  withinMs: number,
): Promise<{ condition: ConnectorCondition; restarts: number }> {
  let condition = await settled(api, name, withinMs);
  let restarts = 0;
  for (; condition.state === 'failed' && restarts < limit; restarts += 1) {
    await restart(api, name);
    condition = await settled(api, name, withinMs);
  }
  return { condition, restarts };
}

/**
 * Waits until the connector runs and its initial snapshot is in Kafka. A task that fails is restarted up to `restarts`
 * times.
 * @param onProgress is told each new condition
 * @throws ConnectorFailedError when it fails for good, is stopped, or takes longer than `withinMs`
 */
export async function awaitSnapshot(
  api: ConnectApi,
  name: string,
  options: { withinMs: number; restarts: number; onProgress?: (condition: ConnectorCondition) => void },
): Promise<void> {
  const deadline = Date.now() + options.withinMs;
  let restarts = 0;
  let last = '';
  for (; ; await pause(POLL_MS)) {
    const condition = await readCondition(api, name);
    const word = `${condition.state}, snapshot ${condition.snapshot}`;
    if (word !== last) options.onProgress?.(condition);
    last = word;
    if (condition.state === 'running' && condition.snapshot === 'complete') return;
    if (condition.state === 'stopped')
      throw new ConnectorFailedError(`The connector ${name} is stopped; resume it.`);
    if (condition.state === 'failed') {
      if (restarts === options.restarts) {
        throw new ConnectorFailedError(
          `The connector ${name} failed ${restarts + 1} times: ${condition.error}`,
        );
      }
      restarts += 1;
      await restart(api, name);
    }
    if (Date.now() > deadline) {
      const within = options.withinMs / 1000;
      throw new ConnectorFailedError(
        `The connector ${name} is not ready after ${within} s: it is ${word}; see Connect's log.`,
      );
    }
  }
}

/** Connect takes the request at once and works it through later: until then the old failure is still shown. */
async function restart(api: ConnectApi, name: string): Promise<void> {
  await api.restartFailed(name);
  for (const deadline = Date.now() + RESTART_SEEN_WITHIN_MS; Date.now() < deadline; await pause(POLL_MS)) {
    if ((await readCondition(api, name)).state !== 'failed') return;
  }
}

/** The first condition that is not "starting". */
async function settled(api: ConnectApi, name: string, withinMs: number): Promise<ConnectorCondition> {
  for (const deadline = Date.now() + withinMs; ; await pause(POLL_MS)) {
    const condition = await readCondition(api, name);
    if (condition.state !== 'starting' || Date.now() > deadline) return condition;
  }
}
