import { execa } from 'execa';
import { REGION } from '../../local/aws/platform.ts';
import type { World } from './world.ts';

const WITHIN_MS = 180_000;

/** Runs the command line as a user does, against the world's endpoint. */
export async function cdc(
  world: Pick<World, 'clients' | 'project'>,
  args: readonly string[],
): Promise<{ exitCode: number | undefined; stdout: string; stderr: string }> {
  const { exitCode, stdout, stderr } = await execa(
    process.execPath,
    ['local/cli/main.ts', ...args, '--stage', 'dev'],
    {
      cwd: world.project,
      reject: false,
      timeout: WITHIN_MS,
      env: {
        AWS_ENDPOINT_URL: world.clients.endpoint,
        AWS_REGION: REGION,
        AWS_ACCESS_KEY_ID: 'local',
        AWS_SECRET_ACCESS_KEY: 'local',
        AWS_PROFILE: undefined,
        AWS_SESSION_TOKEN: undefined,
        NO_COLOR: '1',
      },
    },
  );
  return { exitCode, stdout, stderr };
}
