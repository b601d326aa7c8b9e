import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../state.ts';
import { checksumOf, isNoted, note } from './note.ts';
import type { Prerequisites } from './prerequisites.ts';
import { runStep } from './step.ts';

const FOLDER = join(PROJECT_ROOT, '.venv');
const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt');

/** The virtual environment's Python, once set-up has run. */
export const PYTHON = join(FOLDER, 'bin', 'python');

/** Programs in it name their Python by absolute path, so a checkout that was moved needs a new one. */
function wanted(): string {
  return checksumOf([FOLDER, readFileSync(REQUIREMENTS)]);
}

export function pythonIsReady(): boolean {
  return existsSync(PYTHON) && isNoted(FOLDER, wanted());
}

/** Makes the virtual environment anew from the locked requirements; pip checks the hash of every file. */
export async function installPython({ python }: Prerequisites): Promise<void> {
  rmSync(FOLDER, { recursive: true, force: true });
  await runStep(python, ['-m', 'venv', FOLDER], 'The virtual environment could not be made.');
  const options = [
    '--disable-pip-version-check',
    '--no-input',
    '--quiet',
    '--require-hashes',
    '-r',
    REQUIREMENTS,
  ];
  await runStep(PYTHON, ['-m', 'pip', 'install', ...options], 'pip could not install the Python packages.');
  note(FOLDER, wanted());
}
