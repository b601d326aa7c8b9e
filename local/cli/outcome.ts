/** What an error means for the person at the terminal. */
import { CommanderError } from 'commander';
import { RegistryError } from '../../functions/cdc/registry.ts';
import { ConnectorFailedError } from '../../functions/connector/apply.ts';
import { SourceUnreachableError } from '../../functions/source-database/connection.ts';
import { ChildError } from '../process/supervisor.ts';
import { MissingPrerequisitesError } from '../setup/prerequisites.ts';
import { StageError } from '../stage/errors.ts';
import { AlreadyRunningError } from '../state.ts';
import { SourceError } from '../twin.ts';
import { TwinError } from '../twin-error.ts';
import { UsageError } from '../usage-error.ts';

/** `message`: what is left to print, null for nothing. */
export type Outcome = { message: string | null; exitCode: number };

const FAILED = 1;
const WRONG_USAGE = 2;
/** 128 and the number of SIGINT, as shells have it. */
const INTERRUPTED = 130;

/** Their messages say what to do; anything else is a defect, of which all is told that is known. */
const EXPLAINED = [
  UsageError,
  RegistryError,
  ChildError,
  AlreadyRunningError,
  SourceError,
  SourceUnreachableError,
  ConnectorFailedError,
  MissingPrerequisitesError,
  StageError,
  TwinError,
];

export function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof Error)) return { message: String(error), exitCode: FAILED };
  // Commander has printed it; asking for help is no error.
  if (error instanceof CommanderError) {
    return { message: null, exitCode: error.exitCode === 0 ? 0 : WRONG_USAGE };
  }
  // Ctrl-C ended what was waited for.
  if (error.name === 'AbortError') return { message: null, exitCode: INTERRUPTED };
  const explained = EXPLAINED.some((type) => error instanceof type);
  return {
    message: explained ? error.message : (error.stack ?? error.message),
    exitCode: error instanceof UsageError ? WRONG_USAGE : FAILED,
  };
}
