import { z } from 'zod';
import type { Deployment } from '../cdc/names.ts';

export type GateConfig = Deployment & {
  /** Bucket of the landing zone and the reports. */
  bucket: string;
};

const present = z.string('is missing').min(1, 'is empty');

const environment = z.object({ PROJECT: present, STAGE: present, LANDING_BUCKET: present });

/**
 * Reads the function's environment.
 * @throws Error that names every variable that is missing
 */
export function loadConfig(env: NodeJS.ProcessEnv): GateConfig {
  const parsed = environment.safeParse(env);
  if (!parsed.success) {
    const mistakes = parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
    throw new Error(`The environment of gate is wrong: ${mistakes.join('; ')}`);
  }
  const { PROJECT, STAGE, LANDING_BUCKET } = parsed.data;
  return { project: PROJECT, stage: STAGE, bucket: LANDING_BUCKET };
}
