import { z } from 'zod';
import { present, readEnvironment } from '../cdc/environment.ts';

export type RunLockConfig = {
  /** DynamoDB table with the key `lock`. */
  table: string;
  /** The Glue jobs of the layers: a run that ended may have left one of them running. */
  jobNames: string[];
};

const environment = z.object({
  LOCK_TABLE: present,
  JOB_NAMES: present.transform((names) => names.split(',').map((name) => name.trim())),
});

/**
 * Reads the function's environment; JOB_NAMES are separated by commas.
 * @throws Error that names every variable that is missing
 */
export function loadConfig(env: NodeJS.ProcessEnv): RunLockConfig {
  const variables = readEnvironment('run-lock', environment, env);
  return { table: variables.LOCK_TABLE, jobNames: variables.JOB_NAMES };
}
