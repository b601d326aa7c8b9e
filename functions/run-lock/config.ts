import { z } from 'zod';

export type RunLockConfig = {
  /** DynamoDB table with the key `lock`. */
  table: string;
  /** The Glue jobs of the layers: a run that ended may have left one of them running. */
  jobNames: string[];
};

const present = z.string('is missing').min(1, 'is empty');

const environment = z.object({
  LOCK_TABLE: present,
  JOB_NAMES: present.transform((names) => names.split(',').map((name) => name.trim())),
});

/**
 * Reads the function's environment; JOB_NAMES are separated by commas.
 * @throws Error that names every variable that is missing
 */
export function loadConfig(env: NodeJS.ProcessEnv): RunLockConfig {
  const parsed = environment.safeParse(env);
  if (!parsed.success) {
    const mistakes = parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
    throw new Error(`The environment of run-lock is wrong: ${mistakes.join('; ')}`);
  }
  return { table: parsed.data.LOCK_TABLE, jobNames: parsed.data.JOB_NAMES };
}
