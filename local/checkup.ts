/** What the twin needs of this machine. */
import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { type Check, missing, note, ok } from './check.ts';
import { findPrerequisites, javaVersion, MissingPrerequisitesError } from './setup/prerequisites.ts';
import { PROJECT_ROOT, runningOwner } from './state.ts';

/** What the twin's processes take together on the sample, measured by `npm run bench:twin`, with room (bytes). */
const MEMORY = 4e9;
/** Packages, jars, and the data of a few days' play (bytes). */
const DISK = 5e9;

/** Looks at everything that `npm start` needs. `root`: the state folder. */
export async function checkMachine(root: string): Promise<Check[]> {
  return [
    ok('Node.js', process.version),
    ...checkPrograms(),
    checkInstalled('Python packages', '.venv'),
    checkInstalled('Java packages', '.jars'),
    totalmem() >= MEMORY
      ? ok('memory', `${gigabytes(totalmem())} GB`)
      : note(
          'memory',
          `${gigabytes(totalmem())} GB`,
          `The twin takes up to ${gigabytes(MEMORY)} GB; close what you can.`,
        ),
    await checkDisk(),
    checkTwin(root),
  ];
}

function checkPrograms(): Check[] {
  try {
    const { python } = findPrerequisites();
    return [ok('Java', javaVersion().split('\n')[0] ?? ''), ok('Maven', 'there'), ok('Python', python)];
  } catch (error) {
    if (!(error instanceof MissingPrerequisitesError)) throw error;
    return [missing('Java, Maven, Python', 'not all there', error.message)];
  }
}

function checkInstalled(what: string, folder: string): Check {
  if (existsSync(join(PROJECT_ROOT, folder))) return ok(what, folder);
  return note(what, 'not installed yet', '`npm start` installs them, or `npm run setup` now.');
}

async function checkDisk(): Promise<Check> {
  const { bavail, bsize } = await statfs(PROJECT_ROOT);
  const free = bavail * bsize;
  const found = `${gigabytes(free)} GB free`;
  return free >= DISK ? ok('disk', found) : note('disk', found, `The twin wants ${gigabytes(DISK)} GB.`);
}

function checkTwin(root: string): Check {
  const owner = runningOwner(root);
  return ok('twin', owner === null ? `none runs in ${root}` : `runs in ${root} as process ${owner.pid}`);
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(1);
}
