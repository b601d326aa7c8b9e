import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { present, readEnvironment } from '../cdc/environment.ts';
import type { Deployment } from '../cdc/names.ts';
import {
  PLACEHOLDER_RULE,
  PLACEHOLDER_VARIABLES,
  type PlaceholderSetting,
  placeholderSetting,
} from '../cdc/placeholder-setting.ts';
import { parseRegistry, type Registry } from '../cdc/registry.ts';
import { ADDRESS_VARIABLES, type KnownAddress, knownAddress } from '../source-database/address.ts';

export type ConnectorFunctionConfig = {
  deployment: Deployment;
  registry: Registry;
  /** `http://host:port` of Kafka Connect. */
  connectUrl: string;
  /** What the environment says of the source's address. */
  address: KnownAddress;
  /** Secret with the rest of it: host, port, dbname, sslmode. */
  sourceSecretId: string;
  /** Secret with the replication role's username; the worker has its password in its own environment. */
  replicationSecretId: string;
  placeholder: PlaceholderSetting;
  /** Replicas of topics that Connect makes itself. */
  replicationFactor: number;
};

const environment = z
  .object({
    STAGE: present,
    CONNECT_URL: present.regex(/^https?:\/\//, 'must begin with http:// or https://'),
    ...ADDRESS_VARIABLES,
    SOURCE_SECRET_ID: present,
    REPLICATION_SECRET_ID: present,
    ...PLACEHOLDER_VARIABLES,
    REPLICATION_FACTOR: z.coerce.number().int().min(1).max(3).default(2),
    TABLES_FILE: z.string().default('tables.yml'),
  })
  .refine(...PLACEHOLDER_RULE);

/**
 * Reads the function's environment and the table registry beside the code (`TABLES_FILE`, from the working directory).
 * @throws Error that names every variable that is missing or wrong
 */
export function loadConfig(env: NodeJS.ProcessEnv): ConnectorFunctionConfig {
  const variables = readEnvironment('connector', environment, env);
  const registry = parseRegistry(readFileSync(variables.TABLES_FILE, 'utf8'));
  return {
    deployment: { project: registry.project, stage: variables.STAGE },
    registry,
    connectUrl: variables.CONNECT_URL,
    address: knownAddress(variables),
    sourceSecretId: variables.SOURCE_SECRET_ID,
    replicationSecretId: variables.REPLICATION_SECRET_ID,
    placeholder: placeholderSetting(variables),
    replicationFactor: variables.REPLICATION_FACTOR,
  };
}
