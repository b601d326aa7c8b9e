import { z } from 'zod';
import { present, readEnvironment } from '../cdc/environment.ts';
import type { Deployment } from '../cdc/names.ts';

export type PipeKeeperConfig = Deployment & {
  /** How the deployment's pipes, and its Kafka cluster, are named: `cdc-demo-dev`. */
  prefix: string;
};

const environment = z.object({ PROJECT: present, STAGE: present, PREFIX: present });

/**
 * Reads the function's environment.
 * @throws Error that names every variable that is missing
 */
export function loadConfig(env: NodeJS.ProcessEnv): PipeKeeperConfig {
  const { PROJECT, STAGE, PREFIX } = readEnvironment('pipe-keeper', environment, env);
  return { project: PROJECT, stage: STAGE, prefix: PREFIX };
}
