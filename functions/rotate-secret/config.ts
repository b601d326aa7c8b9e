import { z } from 'zod';
import { present, readEnvironment } from '../cdc/environment.ts';

export type RotateSecretConfig = {
  /** Name of the function `source`, which reaches the database. */
  sourceFunction: string;
  /** The ECS service that gets the secret when its task starts. */
  service: { cluster: string; name: string };
};

const environment = z.object({
  SOURCE_FUNCTION: present,
  CONNECT_CLUSTER: present,
  CONNECT_SERVICE: present,
});

/**
 * Reads the function's environment.
 * @throws Error that names every variable that is missing
 */
export function loadConfig(env: NodeJS.ProcessEnv): RotateSecretConfig {
  const variables = readEnvironment('rotate-secret', environment, env);
  return {
    sourceFunction: variables.SOURCE_FUNCTION,
    service: { cluster: variables.CONNECT_CLUSTER, name: variables.CONNECT_SERVICE },
  };
}
