import { epochOf } from '../cdc/connector-config.ts';
import { type Applied, applyConnector, refuseInvalid } from './apply.ts';
import type { ConnectApi } from './connect-api.ts';
import { removeConnector } from './remove.ts';

const STOPPED_WITHIN_MS = 60_000;

/**
 * Puts a connector's configuration, and begins a new epoch where the connector that is there is of an older one: that is
 * stopped, its slot dropped, its offsets forgotten, so that the new one snapshots all tables. The old configuration goes
 * last, and says until then that the epoch is still to be ended: whatever is broken off is done by the next call.
 * A connector of a later epoch stays as it is: its records can't be followed by older ones, and the settings of an older
 * epoch may be those of another source.
 * @param dropSlot drops the old connector's slot; done when there is none
 * @throws ConnectorFailedError naming each setting that the plugin refuses, before anything has changed; or when the old
 * connector doesn't stop
 */
export async function applyInEpoch(
  api: ConnectApi,
  name: string,
  config: Readonly<Record<string, string>>,
  dropSlot: () => Promise<unknown>,
): Promise<Applied> {
  const current = await api.config(name);
  if (current === null || epochOf(current) === epochOf(config)) return applyConnector(api, name, config);
  if (epochOf(current) > epochOf(config)) return 'unchanged';
  await refuseInvalid(api, name, config);
  await removeConnector(api, name, STOPPED_WITHIN_MS, dropSlot);
  return applyInEpoch(api, name, config, dropSlot);
}
