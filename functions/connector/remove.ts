import { setTimeout as pause } from 'node:timers/promises';
import { ConnectorFailedError } from './apply.ts';
import type { ConnectApi } from './connect-api.ts';

const POLL_MS = 200;

/**
 * Stops a connector, and forgets its configuration and offsets: one that is made again under this name takes a new
 * snapshot, as it must without the old slot.
 * @param whenStopped what has to be done before nothing tells any more that there was a connector
 * @returns false when there was none
 * @throws ConnectorFailedError when its task does not end within `withinMs`
 */
export async function removeConnector(
  api: ConnectApi,
  name: string,
  withinMs: number,
  whenStopped: () => Promise<unknown> = async () => undefined,
): Promise<boolean> {
  if ((await api.config(name)) === null) return false;
  await api.stop(name);
  for (const deadline = Date.now() + withinMs; !(await isStopped(api, name)); await pause(POLL_MS)) {
    if (Date.now() > deadline) {
      const within = withinMs / 1000;
      throw new ConnectorFailedError(
        `The connector ${name} did not stop within ${within} s; see Connect's log.`,
      );
    }
  }
  await whenStopped();
  await api.deleteOffsets(name);
  await api.delete(name);
  return true;
}

async function isStopped(api: ConnectApi, name: string): Promise<boolean> {
  const status = await api.status(name);
  return status === null || (status.connector.state === 'STOPPED' && status.tasks.length === 0);
}
