/** The command line, `npx cdc`. One file a verb. */
import { RegistryError } from '../../functions/cdc/registry.ts';
import { ConnectorFailedError } from '../../functions/connector/apply.ts';
import { ChildError } from '../process/supervisor.ts';
import { hideKafkaTimerWarning } from '../process/warnings.ts';
import { MissingPrerequisitesError } from '../setup/prerequisites.ts';
import { StageError } from '../stage/errors.ts';
import { AlreadyRunningError } from '../state.ts';
import { SourceError } from '../twin.ts';
import { UsageError } from '../usage-error.ts';
import { paint } from './output.ts';
import { buildProgram } from './program.ts';

const EXPLAINED = [
  UsageError,
  RegistryError,
  ChildError,
  AlreadyRunningError,
  SourceError,
  ConnectorFailedError,
  MissingPrerequisitesError,
  StageError,
];

hideKafkaTimerWarning();

try {
  await buildProgram().parseAsync();
} catch (error) {
  const explained = EXPLAINED.some((type) => error instanceof type);
  const message =
    error instanceof Error ? (explained ? error.message : (error.stack ?? error.message)) : String(error);
  console.error(paint('red', message));
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
