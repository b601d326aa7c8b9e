/** The command line, `npx cdc`. One file a verb. */
import { Command } from 'commander';
import { RegistryError } from '../../functions/cdc/registry.ts';
import { ConnectorFailedError } from '../../functions/connector/apply.ts';
import { ChildError } from '../process/supervisor.ts';
import { hideKafkaTimerWarning } from '../process/warnings.ts';
import { MissingPrerequisitesError } from '../setup/prerequisites.ts';
import { AlreadyRunningError } from '../state.ts';
import { SourceError } from '../twin.ts';
import { registerConnectors } from './connectors.ts';
import { UsageError } from './context.ts';
import { registerEvents } from './events.ts';
import { paint } from './output.ts';
import { registerQuery } from './query.ts';
import { registerRun } from './run.ts';
import { registerSetup } from './setup.ts';
import { registerStart } from './start.ts';
import { registerStatus } from './status.ts';
import { registerStop } from './stop.ts';
import { registerWorkload } from './workload.ts';

const EXPLAINED = [
  UsageError,
  RegistryError,
  ChildError,
  AlreadyRunningError,
  SourceError,
  ConnectorFailedError,
  MissingPrerequisitesError,
];

hideKafkaTimerWarning();

const program = new Command('cdc')
  .description('Change data capture from PostgreSQL into an Iceberg lakehouse: the local twin.')
  .showHelpAfterError('Add --help for the options.')
  .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 wrong usage.')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));

const VERBS = [
  registerStart,
  registerConnectors,
  registerWorkload,
  registerEvents,
  registerRun,
  registerQuery,
  registerStatus,
  registerStop,
  registerSetup,
];
for (const register of VERBS) register(program);

try {
  await program.parseAsync();
} catch (error) {
  const explained = EXPLAINED.some((type) => error instanceof type);
  const message =
    error instanceof Error ? (explained ? error.message : (error.stack ?? error.message)) : String(error);
  console.error(paint('red', message));
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
