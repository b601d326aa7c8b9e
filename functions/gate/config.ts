import { z } from 'zod';
import { present, readEnvironment } from '../cdc/environment.ts';
import type { Deployment } from '../cdc/names.ts';

export type GateConfig = Deployment & {
  /** Bucket of the landing zone and the reports. */
  bucket: string;
};

const environment = z.object({ PROJECT: present, STAGE: present, LANDING_BUCKET: present });

/**
 * Reads the function's environment.
 * @throws Error that names every variable that is missing
 */
export function loadConfig(env: NodeJS.ProcessEnv): GateConfig {
  const variables = readEnvironment('gate', environment, env);
  const { PROJECT, STAGE, LANDING_BUCKET } = variables;
  return { project: PROJECT, stage: STAGE, bucket: LANDING_BUCKET };
}
