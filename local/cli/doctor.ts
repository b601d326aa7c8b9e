import type { Command } from 'commander';
import type { Check } from '../check.ts';
import { checkMachine } from '../checkup.ts';
import { stageAddress } from '../stage/place.ts';
import { stateRoot } from '../state.ts';
import { UsageError } from '../usage-error.ts';
import { readRegistry, type WorldOptions, withWorldOptions } from './context.ts';
import { paint } from './output.ts';

type Options = WorldOptions & { createRoles?: boolean };

const SIGNS = { ok: ['✔', 'green'], note: ['!', 'yellow'], missing: ['✖', 'red'] } as const;

/** One finding, with what to do on the next line. */
export function checkLine({ what, result, found, remedy }: Check): string {
  const [sign, colour] = SIGNS[result];
  const line = `  ${paint(colour, sign)} ${what.padEnd(26)} ${paint('gray', found)}`;
  return remedy === null ? line : `${line}\n    ${remedy}`;
}

export function registerDoctor(program: Command): void {
  const command = program
    .command('doctor')
    .description(
      'check what the twin, or with --stage a deployment, needs; say what to do about what is missing',
    )
    .option('--create-roles', 'with --stage: create the service-linked roles that are missing');
  withWorldOptions(command).action(async (options: Options) => {
    const print = (check: Check) => console.log(checkLine(check));
    const sound =
      options.stage === undefined ? await checkTwin(options, print) : await checkStage(options, print);
    console.log(sound ? 'Nothing is missing.' : paint('red', 'Put right what is marked, then look again.'));
    if (!sound) process.exitCode = 1;
  });
}

async function checkTwin(
  { state, region, createRoles }: Options,
  print: (check: Check) => void,
): Promise<boolean> {
  if (region !== undefined || createRoles) {
    throw new UsageError('--region and --create-roles go with --stage: the twin needs neither.');
  }
  const checks = await checkMachine(stateRoot(state));
  checks.forEach(print);
  return checks.every(({ result }) => result !== 'missing');
}

async function checkStage(
  { stage, region, state, createRoles }: Options,
  onCheck: (check: Check) => void,
): Promise<boolean> {
  if (state !== undefined) {
    throw new UsageError('Name either --stage or --state: a stage is on AWS, the twin is not.');
  }
  const address = stageAddress(stage as string, region);
  const { checkUp } = await import('../stage/doctor/checkup.ts');
  return checkUp(address, readRegistry(), { createRoles: createRoles === true, onCheck });
}
