import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { publicationName, slotName } from '../cdc/connector-config.ts';
import { present, readEnvironment } from '../cdc/environment.ts';
import { type Deployment, glueDatabase } from '../cdc/names.ts';
import { parseRegistry, type Registry } from '../cdc/registry.ts';
import type { SourceSettings } from './catalog.ts';

const environment = z.object({
  STAGE: present,
  SOURCE_SECRET_ID: present,
  REPLICATION_SECRET_ID: present,
  TABLES_FILE: present.default('tables.yml'),
});

export type SourceConfig = {
  deployment: Deployment;
  tables: Registry['tables'];
  /** Secret with the source's address and a user who may prepare it. */
  sourceSecretId: string;
  /** Secret with name and password of the replication role. */
  replicationSecretId: string;
};

/**
 * Reads the function's environment and the table registry beside the code (`TABLES_FILE`, from the working directory).
 * @throws Error that names every variable that is missing or wrong
 */
export function loadConfig(env: NodeJS.ProcessEnv): SourceConfig {
  const { STAGE, SOURCE_SECRET_ID, REPLICATION_SECRET_ID, TABLES_FILE } = readEnvironment(
    'source',
    environment,
    env,
  );
  const registry = parseRegistry(readFileSync(TABLES_FILE, 'utf8'));
  return {
    deployment: { project: registry.project, stage: STAGE },
    tables: registry.tables,
    sourceSecretId: SOURCE_SECRET_ID,
    replicationSecretId: REPLICATION_SECRET_ID,
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
  return { tables, role, publication: publicationName(deployment), slot: slotName(deployment) };
}
