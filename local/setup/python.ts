import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../state.ts';
import { checksumOf, isNoted, note } from './note.ts';
import type { Prerequisites } from './prerequisites.ts';
import { runStep } from './step.ts';

/** A virtual environment of ours: its folder in the checkout, and the file with the locked packages that go into it. */
type Environment = { folder: string; requirements: string };

const TWIN = environment('.venv', 'requirements.txt');

/** Apart from the twin's: checkov and cfn-lint ask for different versions of the same packages. */
const CHECKOV_ENVIRONMENT = environment('.venv-checkov', 'requirements-checkov.txt');

/** The virtual environment's Python, once set-up has run. */
export const PYTHON = join(TWIN.folder, 'bin', 'python');

/** Runs checkov with `-m checkov.main`, once {@link installCheckov} has. Its own script breaks in a path with a space. */
export const CHECKOV_PYTHON = join(CHECKOV_ENVIRONMENT.folder, 'bin', 'python');

export const pythonIsReady = () => isReady(TWIN);
export const installPython = (prerequisites: Prerequisites) => install(TWIN, prerequisites);
export const checkovIsReady = () => isReady(CHECKOV_ENVIRONMENT);
export const installCheckov = (prerequisites: Prerequisites) => install(CHECKOV_ENVIRONMENT, prerequisites);

function environment(folder: string, requirements: string): Environment {
  return { folder: join(PROJECT_ROOT, folder), requirements: join(import.meta.dirname, requirements) };
}

function pythonOf({ folder }: Environment): string {
  return join(folder, 'bin', 'python');
}

/** Programs in it name their Python by absolute path, so a checkout that was moved needs a new one. */
function wanted({ folder, requirements }: Environment): string {
  return checksumOf([folder, readFileSync(requirements)]);
}

function isReady(made: Environment): boolean {
  return existsSync(pythonOf(made)) && isNoted(made.folder, wanted(made));
}

/** Makes the virtual environment anew from the locked requirements; pip checks the hash of every file. */
async function install(made: Environment, { python }: Prerequisites): Promise<void> {
  rmSync(made.folder, { recursive: true, force: true });
  await runStep(python, ['-m', 'venv', made.folder], 'The virtual environment could not be made.');
  const options = [
    '--disable-pip-version-check',
    '--no-input',
    '--quiet',
    '--require-hashes',
    '-r',
    made.requirements,
  ];
  await runStep(
    pythonOf(made),
    ['-m', 'pip', 'install', ...options],
    'pip could not install the Python packages.',
  );
  note(made.folder, wanted(made));
}
