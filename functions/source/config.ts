import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { publicationName, slotName } from '../cdc/connector-config.ts';
import { type Deployment, glueDatabase } from '../cdc/names.ts';
import { parseRegistry, type Registry } from '../cdc/registry.ts';
import type { SourceSettings } from './catalog.ts';

const variables = z.object({
  PROJECT: z.string().min(1),
  STAGE: z.string().min(1),
  /** Secret with the source's address and a user who may prepare it. */
  SOURCE_SECRET_ID: z.string().min(1),
  /** Secret with name and password of the replication role. */
  REPLICATION_SECRET_ID: z.string().min(1),
  /** tables.yml as it lies in the package. */
  TABLES_FILE: z.string().min(1).default('tables.yml'),
});

export type SourceConfig = {
  deployment: Deployment;
  tables: Registry['tables'];
  sourceSecretId: string;
  replicationSecretId: string;
};

/**
 * Reads the function's environment.
 * @throws Error that names each missing variable.
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): SourceConfig {
  const read = variables.safeParse(environment);
  if (!read.success) {
    const names = read.error.issues.map(({ path }) => path.join('.')).join(', ');
    throw new Error(
      `The source function lacks the environment variables ${names}; set them in serverless.yml.`,
    );
  }
  const { STAGE, SOURCE_SECRET_ID, REPLICATION_SECRET_ID, TABLES_FILE } = read.data;
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
