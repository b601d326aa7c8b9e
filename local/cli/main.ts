/** The command line, `npx cdc`. One file a verb. */
import { hideKafkaTimerWarning } from '../process/warnings.ts';
import { outcomeOf } from './outcome.ts';
import { paint } from './output.ts';
import { buildProgram } from './program.ts';

hideKafkaTimerWarning();

try {
  await buildProgram().parseAsync();
} catch (error) {
  const { message, exitCode } = outcomeOf(error);
  if (message !== null) console.error(paint('red', message));
  process.exitCode = exitCode;
}
