import { join } from 'node:path';
import type { Supervisor } from '../process/supervisor.ts';
import { PROJECT_ROOT } from '../state.ts';
import { type MotoOptions, motoCommand, motoIsReady } from './moto.ts';
import { type EndpointConfig, endpointCommand } from './twin.ts';

const PROBE_TIMEOUT_MS = 2_000;

/** Starts moto's server and waits until it answers. Returns its URL. */
export async function startMoto(
  supervisor: Supervisor,
  options: Omit<MotoOptions, 'python'>,
): Promise<string> {
  const url = `http://127.0.0.1:${options.port}`;
  await supervisor.start({
    name: 'moto',
    ...motoCommand({ python: join(PROJECT_ROOT, '.venv', 'bin', 'python'), ...options }),
    isReady: () => motoIsReady(url),
    readyWithinMs: 120_000,
    stopSignal: 'SIGTERM',
    stopWithinMs: 5_000,
    stopAfter: ['endpoint'],
    // Its executions live in its memory: a new one would know none of the state machines.
    restart: null,
  });
  return url;
}

/** Starts the endpoint and waits until it answers. */
export async function startAwsEndpoint(supervisor: Supervisor, config: EndpointConfig): Promise<void> {
  await supervisor.start({
    name: 'endpoint',
    ...endpointCommand(config),
    isReady: async () => {
      const answer = await fetch(`http://127.0.0.1:${config.port}/health`, {
        signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
      });
      return answer.ok;
    },
    readyWithinMs: 120_000,
    stopSignal: 'SIGTERM',
    stopWithinMs: 10_000,
    stopAfter: ['pipe', 'spark'],
    restart: { limit: 5, windowMs: 60_000 },
  });
}
