/** The command line, `npx cdc`. One file a verb. */
import { Command } from 'commander';
import { RegistryError } from '../../functions/cdc/registry.ts';
import { ChildError } from '../process/supervisor.ts';
import { AlreadyRunningError } from '../state.ts';
import { UsageError } from './context.ts';
import { paint } from './output.ts';
import { registerQuery } from './query.ts';
import { registerStop } from './stop.ts';
import { registerWorkload } from './workload.ts';

const EXPLAINED = [UsageError, RegistryError, ChildError, AlreadyRunningError];

const program = new Command('cdc')
  .description('Change data capture from PostgreSQL into an Iceberg lakehouse: the local twin.')
  .showHelpAfterError('Add --help for the options.')
  .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 wrong usage.')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));

for (const register of [registerWorkload, registerQuery, registerStop]) register(program);

try {
  await program.parseAsync();
} catch (error) {
  const explained = EXPLAINED.some((type) => error instanceof type);
  const message =
    error instanceof Error ? (explained ? error.message : (error.stack ?? error.message)) : String(error);
  console.error(paint('red', message));
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
