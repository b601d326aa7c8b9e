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

const VERBS = [
  registerDoctor,
  registerStart,
  registerConnectors,
  registerWorkload,
  registerEvents,
  registerRun,
  registerQuery,
  registerStatus,
  registerBackfill,
  registerMaintain,
  registerCostGuard,
  registerChanges,
  registerCost,
  registerStop,
  registerSetup,
];

/** `cdc` with all its verbs. Parsing throws commander's CommanderError for wrong usage, and for --help with exit code 0. */
export function buildProgram(): Command {
  const program = new Command('cdc')
    .description(
      'Change data capture from PostgreSQL into an Iceberg lakehouse: the local twin, and stages on AWS.',
    )
    .showHelpAfterError('Add --help for the options.')
    .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 wrong usage.')
    .exitOverride();
  for (const register of VERBS) register(program);
  return program;
}
