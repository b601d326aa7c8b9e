import { z } from 'zod';
import { present, readEnvironment, wholeNumber } from '../cdc/environment.ts';
import type { Deployment } from '../cdc/names.ts';
import { ADDRESS_VARIABLES, type KnownAddress, knownAddress } from '../source-database/address.ts';
import type { SourceSecrets } from '../source-database/secret.ts';

export type SlotMonitorConfig = Deployment & {
  address: KnownAddress;
  secrets: SourceSecrets;
  /** WAL, in bytes, that the slot may hold back. */
  budget: bigint;
};

const environment = z.object({
  PROJECT: present,
  STAGE: present,
  ...ADDRESS_VARIABLES,
  SOURCE_SECRET_ID: present,
  REPLICATION_SECRET_ID: present,
  SLOT_LAG_BUDGET_BYTES: wholeNumber,
});

/**
 * Reads the function's environment.
 * @throws Error that names every variable that is missing or wrong
 */
export function loadConfig(env: NodeJS.ProcessEnv): SlotMonitorConfig {
  const variables = readEnvironment('slot-monitor', environment, env);
  return {
    project: variables.PROJECT,
    stage: variables.STAGE,
    address: knownAddress(variables),
    secrets: {
      sourceSecretId: variables.SOURCE_SECRET_ID,
      replicationSecretId: variables.REPLICATION_SECRET_ID,
    },
    budget: BigInt(variables.SLOT_LAG_BUDGET_BYTES),
  };
}
