import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { present, readEnvironment, wholeNumber } from '../cdc/environment.ts';
import type { Deployment } from '../cdc/names.ts';
import { parseRegistry } from '../cdc/registry.ts';
import { ADDRESS_VARIABLES, type KnownAddress, knownAddress } from '../source-database/address.ts';
import type { SourceSecrets } from '../source-database/secret.ts';

const HOUR_MS = 60 * 60 * 1000;
const GIB = 1024 ** 3;

/** Firehose retries a delivery for 24 h and then files it under the hour of its first try; two more as margin. */
const LOOK_BACK_HOURS = 26;

export type PreflightConfig = Deployment & {
  epoch: number;
  /** Bucket of the landing zone and the reports. */
  bucket: string;
  /** Ids of the captured tables. */
  tables: string[];
  /** How old an hour's prefix in the landing zone may be to be looked at. */
  lookBackMs: number;
  /** Kafka Connect's REST interface. */
  connectUrl: string;
  /** Address of the source with a role that may log in, or what the environment and the secrets say of both. */
  source: { url: string } | { address: KnownAddress; secrets: SourceSecrets };
  /** WAL, in bytes, that may wait for the connector before people are told. */
  slotLagBudget: bigint;
};

const environment = z
  .object({
    STAGE: present,
    LANDING_BUCKET: present,
    CONNECT_URL: present,
    SOURCE_URL: z.string().optional(),
    ...ADDRESS_VARIABLES,
    SOURCE_SECRET_ID: z.string().optional(),
    REPLICATION_SECRET_ID: z.string().optional(),
    SLOT_LAG_BUDGET_BYTES: wholeNumber.default(String(GIB)),
    LANDING_LOOK_BACK_HOURS: wholeNumber.default(String(LOOK_BACK_HOURS)),
    TABLES_FILE: z.string().default('tables.yml'),
  })
  .refine(
    ({ SOURCE_URL: url, SOURCE_SECRET_ID: owner, REPLICATION_SECRET_ID: role }) =>
      url ? !owner && !role : Boolean(owner && role),
    'set either SOURCE_URL or SOURCE_SECRET_ID with REPLICATION_SECRET_ID',
  );

/**
 * Reads the function's environment and the table registry beside the code (`TABLES_FILE`, from the working directory).
 * @throws Error that names every variable that is missing or wrong
 */
export function loadConfig(env: NodeJS.ProcessEnv): PreflightConfig {
  const variables = readEnvironment('preflight', environment, env);
  const { project, epoch, tables } = parseRegistry(readFileSync(variables.TABLES_FILE, 'utf8'));
  return {
    project,
    stage: variables.STAGE,
    epoch,
    bucket: variables.LANDING_BUCKET,
    tables: tables.map(({ id }) => id),
    lookBackMs: Number(variables.LANDING_LOOK_BACK_HOURS) * HOUR_MS,
    connectUrl: variables.CONNECT_URL,
    source: variables.SOURCE_URL
      ? { url: variables.SOURCE_URL }
      : {
          address: knownAddress(variables),
          secrets: {
            sourceSecretId: variables.SOURCE_SECRET_ID as string,
            replicationSecretId: variables.REPLICATION_SECRET_ID as string,
          },
        },
    slotLagBudget: BigInt(variables.SLOT_LAG_BUDGET_BYTES),
  };
}
