import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../../local/postgres/server.ts';
import { choosePorts } from '../../local/process/ports.ts';
import { Supervisor } from '../../local/process/supervisor.ts';
import { type OwnedState, ownState } from '../../local/state.ts';

/** A real PostgreSQL of one test file, in a folder of its own. */
export type RealPostgres = {
  readonly folder: string;
  readonly state: OwnedState;
  readonly supervisor: Supervisor;
  /** URLs of the superuser and of the owner of the database `shop`. */
  readonly urls: Awaited<ReturnType<typeof startPostgres>>;
  /** Ends the server and takes the folder away. */
  close(): Promise<void>;
};

/** @param name tells the folder in the place for temporary files */
export async function startRealPostgres(name: string): Promise<RealPostgres> {
  const folder = mkdtempSync(join(tmpdir(), `cdc-${name}-test-`));
  // PostgreSQL runs under another account when this is root.
  chmodSync(folder, 0o755);
  const state = await ownState(join(folder, 'state'), () => undefined);
  const supervisor = new Supervisor(state, () => undefined);
  const close = async () => {
    await supervisor.stopAll();
    for (const outside of state.read().outside ?? []) rmSync(outside, { recursive: true, force: true });
    state.release();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const { postgres } = await choosePorts(['postgres'], {});
    const urls = await startPostgres(supervisor, state, postgres as number, () => undefined);
    return { folder, state, supervisor, urls, close };
  } catch (error) {
    await close();
    throw error;
  }
}
