import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { platformTables, publicationName, slotName } from '../cdc/connector-config.ts';
import { present, readEnvironment } from '../cdc/environment.ts';
import { type Deployment, glueDatabase } from '../cdc/names.ts';
import { parseRegistry, type Registry } from '../cdc/registry.ts';
import { ADDRESS_VARIABLES, type KnownAddress, knownAddress } from '../source-database/address.ts';
import type { SourceSettings } from './catalog.ts';

const environment = z.object({
  STAGE: present,
  ...ADDRESS_VARIABLES,
  SOURCE_SECRET_ID: present,
  REPLICATION_SECRET_ID: present,
  SOURCE_OWNER: z.enum(['stack', 'others']).default('others'),
  SAMPLE_SCHEMA: z.enum(['true', 'false']).default('false'),
  SAMPLE_FOLDER: present.default('sql/source'),
  TABLES_FILE: present.default('tables.yml'),
});

export type SourceConfig = {
  deployment: Deployment;
  tables: Registry['tables'];
  /** The database goes when the stack goes: nothing has to be taken away from it. */
  ownDatabase: boolean;
  /** Folder with the sample's schema and rows, for a database that has none of its own; null when it isn't wanted. */
  sampleFolder: string | null;
  /** What the environment says of the source's address. */
  address: KnownAddress;
  /** Secret with a user who may prepare the source, and the rest of the address. */
  sourceSecretId: string;
  /** Secret with name and password of the replication role. */
  replicationSecretId: string;
};

/**
 * Reads the function's environment and the table registry beside the code (`TABLES_FILE`, from the working directory).
 * @throws Error that names every variable that is missing or wrong
 */
export function loadConfig(env: NodeJS.ProcessEnv): SourceConfig {
  const variables = readEnvironment('source', environment, env);
  const registry = parseRegistry(readFileSync(variables.TABLES_FILE, 'utf8'));
  return {
    deployment: { project: registry.project, stage: variables.STAGE },
    tables: registry.tables,
    ownDatabase: variables.SOURCE_OWNER === 'stack',
    sampleFolder: variables.SAMPLE_SCHEMA === 'true' ? variables.SAMPLE_FOLDER : null,
    address: knownAddress(variables),
    sourceSecretId: variables.SOURCE_SECRET_ID,
    replicationSecretId: variables.REPLICATION_SECRET_ID,
  };
}

/** `cdc_demo_dev_replication`: the role that Debezium logs in as. */
export function replicationRole(deployment: Deployment): string {
  return `${glueDatabase(deployment)}_replication`;
}

/** What one deployment asks of its source. */
export function sourceSettings(
  deployment: Deployment,
  tables: Registry['tables'],
  role: SourceSettings['role'],
): SourceSettings {
  return {
    tables,
    role,
    publication: publicationName(deployment),
    slot: slotName(deployment),
    platform: platformTables(deployment),
  };
}
