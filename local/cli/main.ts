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

/** 128 and the number of SIGINT, as shells have it. */
const INTERRUPTED = 130;

hideKafkaTimerWarning();

try {
  await buildProgram().parseAsync();
} catch (error) {
  // Ctrl-C ended what was waited for: there is nothing to explain.
  const interrupted = error instanceof Error && error.name === 'AbortError';
  if (!interrupted) console.error(paint('red', messageOf(error)));
  process.exitCode = interrupted ? INTERRUPTED : error instanceof UsageError ? 2 : 1;
}

/** What people can act on, or for a defect all that is known of it. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const explained = EXPLAINED.some((type) => error instanceof type);
  return explained ? error.message : (error.stack ?? error.message);
}
