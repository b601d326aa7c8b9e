import { join } from 'node:path';
import { lock } from '../process/lock.ts';
import { PROJECT_ROOT } from '../state.ts';
import { classArchivesAreReady, makeClassArchives } from './class-archives.ts';
import { installJars, jarsAreReady } from './jars.ts';
import { findPrerequisites, type Prerequisites } from './prerequisites.ts';
import { checkovIsReady, installCheckov, installPython, pythonIsReady } from './python.ts';

/** Long enough for Spark's 450 MB on a slow line. */
const OTHER_SETUP_WITHIN_MS = 30 * 60_000;

type Step = { title: string; isReady(): boolean; install(prerequisites: Prerequisites): Promise<void> };

const STEPS: readonly Step[] = [
  { title: 'Python packages (.venv)', isReady: pythonIsReady, install: installPython },
  { title: 'Java packages (.jars)', isReady: jarsAreReady, install: installJars },
  {
    title: 'Class archives for a quick start (.jars/classes)',
    isReady: classArchivesAreReady,
    install: makeClassArchives,
  },
];

const CHECKOV_STEP: Step = {
  title: 'Checkov (.venv-checkov)',
  isReady: checkovIsReady,
  install: installCheckov,
};

/**
 * Installs what the twin needs besides npm packages, each step skipped when it is done. Another set-up in the same
 * checkout is waited for. `report` is told one line at the start and the end of each step that has something to do.
 * @throws MissingPrerequisitesError with everything that must be installed first
 */
export async function ensureSetup(report: (line: string) => void): Promise<void> {
  await ensureSteps(STEPS, report);
}

/** The same for checkov, which only the check of the packaged template needs (290 MB). */
export async function ensureCheckov(report: (line: string) => void): Promise<void> {
  await ensureSteps([CHECKOV_STEP], report);
}

async function ensureSteps(steps: readonly Step[], report: (line: string) => void): Promise<void> {
  if (steps.every((step) => step.isReady())) return;
  const prerequisites = findPrerequisites();
  const held = await lock(join(PROJECT_ROOT, '.setup.lock.db'), OTHER_SETUP_WITHIN_MS, () =>
    report('Waiting for another set-up in this folder ...'),
  );
  try {
    for (const step of steps) await runOnce(step, prerequisites, report);
  } finally {
    held.release();
  }
}

async function runOnce(
  { title, isReady, install }: Step,
  prerequisites: Prerequisites,
  report: (line: string) => void,
): Promise<void> {
  if (isReady()) return;
  const started = performance.now();
  report(`Installing ${title} ...`);
  await install(prerequisites);
  report(`${title} installed in ${Math.round((performance.now() - started) / 1000)} s`);
}
