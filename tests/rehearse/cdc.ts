import { execa } from 'execa';
import { credentialsOf } from './account.ts';
import type { World } from './world.ts';

const WITHIN_MS = 600_000;

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
        ...credentialsOf(world),
        NO_COLOR: '1',
      },
    },
  );
  return { exitCode, stdout, stderr };
}
