/** The command line as commander knows it: every verb with its options. */
import { Command } from 'commander';
import { registerBackfill } from './backfill.ts';
import { registerChanges } from './changes.ts';
import { registerConnectors } from './connectors.ts';
import { registerCost } from './cost.ts';
import { registerCostGuard } from './cost-guard.ts';
import { registerDoctor } from './doctor.ts';
import { registerEvents } from './events.ts';
import { registerMaintain } from './maintain.ts';
import { registerQuery } from './query.ts';
import { registerRun } from './run.ts';
import { registerSetup } from './setup.ts';
import { registerStart } from './start.ts';
import { registerStatus } from './status.ts';
import { registerStop } from './stop.ts';
import { registerWorkload } from './workload.ts';

/** The verbs by where they work, as --help shows them. */
const GROUPS: readonly { heading: string; register: readonly ((program: Command) => void)[] }[] = [
  {
    heading: 'The twin, or with --stage a stage on AWS:',
    register: [
      registerDoctor,
      registerStatus,
      registerConnectors,
      registerEvents,
      registerRun,
      registerQuery,
      registerBackfill,
      registerMaintain,
    ],
  },
  {
    heading: 'The twin on this machine:',
    register: [registerStart, registerWorkload, registerStop, registerSetup],
  },
  { heading: 'A stage on AWS:', register: [registerCostGuard, registerChanges, registerCost] },
];

const FIRST_STEPS = `
First steps: npm start, and when it is up, in another terminal:
  cdc status
  cdc query "SHOW TABLES"
Outside of npm scripts cdc is \`npx --no-install cdc\`. README.md has the rest.

Exit codes: 0 done, 1 failed, 2 wrong usage.`;

/** `cdc` with all its verbs. Parsing throws commander's CommanderError for wrong usage, and for --help with exit code 0. */
export function buildProgram(): Command {
  const program = new Command('cdc')
    .description(
      'Change data capture from PostgreSQL into an Iceberg lakehouse: the local twin, and stages on AWS.',
    )
    .showHelpAfterError('Add --help for the options.')
    .addHelpText('after', FIRST_STEPS)
    .exitOverride();
  for (const { heading, register } of GROUPS) {
    program.commandsGroup(heading);
    for (const add of register) add(program);
  }
  return program;
}
