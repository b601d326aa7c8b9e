import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { present, readEnvironment, wholeNumber } from '../cdc/environment.ts';
import { parseRegistry } from '../cdc/registry.ts';
import { MAX_PACK_BYTES, MAX_RESPONSE_BYTES } from './pack-limits.ts';

export type EnrichConfig = {
  project: string;
  stage: string;
  epoch: number;
  /** Id of the Kafka cluster that the pipe reads. */
  cluster: string;
  landingBucket: string;
  /** Bytes of UTF-8 JSON that a response may have. */
  responseBytes: number;
  /** Ids of the captured tables. */
  tables: ReadonlySet<string>;
  /** Debezium's placeholder for unchanged values, or the secret that holds it. */
  placeholder: { value: string } | { secretArn: string };
};

const environment = z
  .object({
    STAGE: present,
    KAFKA_CLUSTER_ID: present,
    LANDING_BUCKET: present,
    RESPONSE_BYTES: wholeNumber
      .transform(Number)
      .refine((bytes) => bytes > MAX_PACK_BYTES, `must hold a pack of ${MAX_PACK_BYTES} bytes`)
      .default(MAX_RESPONSE_BYTES),
    UNAVAILABLE_PLACEHOLDER: z.string().optional(),
    UNAVAILABLE_PLACEHOLDER_SECRET_ARN: z.string().optional(),
    TABLES_FILE: z.string().default('tables.yml'),
  })
  .refine(
    (env) => Boolean(env.UNAVAILABLE_PLACEHOLDER) !== Boolean(env.UNAVAILABLE_PLACEHOLDER_SECRET_ARN),
    'set either UNAVAILABLE_PLACEHOLDER or UNAVAILABLE_PLACEHOLDER_SECRET_ARN',
  );

/**
 * Reads the function's environment and the table registry beside the code (`TABLES_FILE`, from the working directory).
 * @throws Error that names every variable that is missing or wrong
 */
export function loadConfig(env: NodeJS.ProcessEnv): EnrichConfig {
  const variables = readEnvironment('enrich', environment, env);
  const { STAGE, KAFKA_CLUSTER_ID, LANDING_BUCKET, TABLES_FILE } = variables;
  const { UNAVAILABLE_PLACEHOLDER: value, UNAVAILABLE_PLACEHOLDER_SECRET_ARN: secretArn } = variables;
  const { project, epoch, tables } = parseRegistry(readFileSync(TABLES_FILE, 'utf8'));
  return {
    project,
    stage: STAGE,
    epoch,
    cluster: KAFKA_CLUSTER_ID,
    landingBucket: LANDING_BUCKET,
    responseBytes: variables.RESPONSE_BYTES,
    tables: new Set(tables.map(({ id }) => id)),
    placeholder: value ? { value } : { secretArn: secretArn as string },
  };
}
