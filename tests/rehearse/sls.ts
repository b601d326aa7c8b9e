import { join } from 'node:path';
import { execa } from 'execa';
import { credentialsOf } from './account.ts';
import { tailOf } from './log.ts';
import { logOf, type World } from './world.ts';

const WITHIN_MS = 1_200_000;

/** A digest that no image has: nothing is pulled here. */
const IMAGE = `quay.io/debezium/connect@sha256:${'0'.repeat(63)}1`;

/**
 * What the deployment is told of this machine: no TLS and no login, Connect where no DNS of a VPC leads; and of a life
 * that lasts minutes.
 */
export function localParameters({
  connectUrl,
  ports,
}: Pick<World, 'connectUrl' | 'ports'>): Record<string, string> {
  return {
    connectUrl,
    sourcePort: String(ports.postgres),
    sourceSslMode: 'disable',
    connectorSslMode: 'disable',
    // Kafka without a login.
    kafkaSecretId: 'none',
    // The pipes of a rehearsal land within seconds.
    landingSeconds: '15',
    // Every snapshot but those that are needed is old enough for maintenance.
    timeTravelDays: '0.00001',
  };
}

/**
 * Runs `sls` as a user does, against the world's endpoint; answers what it printed.
 * @throws Error with the output and the ends of the servers' logs when it fails or takes too long
 */
export async function sls(
  world: World,
  args: readonly string[],
  parameters: Readonly<Record<string, string>> = localParameters(world),
): Promise<string> {
  const params = Object.entries(parameters).map(([name, value]) => `--param=${name}=${value}`);
  const result = await execa(
    join(world.project, 'node_modules', '.bin', 'sls'),
    [...args, '--stage', 'dev', ...params],
    {
      cwd: world.project,
      all: true,
      reject: false,
      timeout: WITHIN_MS,
      env: {
        ...credentialsOf(world),
        DEBEZIUM_IMAGE: IMAGE,
        // Milliseconds between two looks at the stack's events.
        SLS_AWS_MONITORING_FREQUENCY: '300',
        HOME: world.state.paths.root,
        // Packaging leaves folders in the place for temporary files.
        TMPDIR: world.state.paths.root,
      },
    },
  );
  if (!result.failed) return result.all;
  const logs = ['moto', 'functions', 'fargate', 'connect'].map((name) => tailOf(logOf(world, name)));
  throw new Error(
    `sls ${args.join(' ')} ${result.timedOut ? 'took too long' : 'failed'}:\n${result.all}\n${logs.join('\n')}`,
  );
}
