import { join } from 'node:path';
import type { Deployment } from '../../functions/cdc/names.ts';
import { deployedName } from '../aws/lambda/function.ts';
import type { Supervisor } from '../process/supervisor.ts';
import { type OwnedState, PROJECT_ROOT } from '../state.ts';
import { readStatus } from './status.ts';

export type PipeChildOptions = Deployment & {
  /** Kafka's address, host:port. */
  broker: string;
  /** Where enrich is invoked and landing files are put. */
  endpointUrl: string;
  region: string;
  bucket: string;
  /** Path of tables.yml; the one of the checkout by default. */
  registry?: string;
};

/** Where the pipe runner of a state folder says how it stands. */
export function pipeStatusFile(stateRoot: string): string {
  return join(stateRoot, 'pipe.json');
}

/** Starts the pipe runner and waits until it has said so in its status file. */
export async function startPipe(
  supervisor: Supervisor,
  state: OwnedState,
  options: PipeChildOptions,
): Promise<void> {
  const statusFile = pipeStatusFile(state.paths.root);
  const since = new Date().toISOString();
  await supervisor.start({
    name: 'pipe',
    command: process.execPath,
    args: [
      // kafkajs 2.2.4 asks Node for timers in the past; Node says so and runs them at once.
      '--disable-warning=TimeoutNegativeWarning',
      // Events of some MB come and go: with V8's 16 MB for the young, a fifth more time goes into collecting them.
      '--max-semi-space-size=32',
      join(import.meta.dirname, 'main.ts'),
      ...['--broker', options.broker],
      ...['--bucket', options.bucket],
      ...['--function', deployedName(options, 'enrich')],
      ...['--registry', options.registry ?? join(PROJECT_ROOT, 'tables.yml')],
      ...['--stage', options.stage],
      ...['--status', statusFile],
    ],
    env: {
      AWS_ENDPOINT_URL: options.endpointUrl,
      AWS_REGION: options.region,
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_PROFILE: undefined,
      AWS_SESSION_TOKEN: undefined,
    },
    isReady: async () => ((await readStatus(statusFile))?.startedAt ?? '') >= since,
    readyWithinMs: 120_000,
    stopSignal: 'SIGTERM',
    stopWithinMs: 40_000,
    stopAfter: ['connect'],
    restart: { limit: 5, windowMs: 60_000 },
  });
}
