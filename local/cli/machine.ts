/** Starts a state machine of a world and shows its states until it ends. */
import logUpdate from 'log-update';
import { type RunResult, runExecution, type StateStep } from '../execution.ts';
import type { StateMachineName, World } from '../world.ts';
import { interruption } from './context.ts';
import { duration, paint } from './output.ts';

const REDRAW_EVERY_MS = 200;

/** Types of states that do something worth a line; the choices between them take no time. */
const SHOWN = /^(Task|Map|Parallel)$/;

function stateLine({ state, enteredAt, exitedAt }: StateStep): string {
  const took = duration((exitedAt ?? new Date()).getTime() - enteredAt.getTime());
  const sign = exitedAt ? paint('green', '✔') : paint('cyan', '…');
  return `  ${sign} ${state.padEnd(12)} ${paint('gray', took)}`;
}

/** Prints each state once, when it has been left. */
export function printStatesOnce(print: (line: string) => void): (steps: readonly StateStep[]) => void {
  let printed = 0;
  return (steps) => {
    const done = steps.filter((step) => SHOWN.test(step.type) && step.exitedAt);
    for (const step of done.slice(printed)) print(stateLine(step));
    printed = done.length;
  };
}

type Output = Partial<
  Record<'skipped' | 'refused' | 'nothing_new' | 'verdict' | 'still_costing' | 'long_pause', string>
>;

function outputOf(result: RunResult): Output {
  return (result.output ?? {}) as Output;
}

/** Whether nothing of what was asked for was done or is being done. */
function isUndone(name: StateMachineName, result: RunResult): boolean {
  const { skipped, refused } = outputOf(result);
  return (
    result.status !== 'SUCCEEDED' || refused !== undefined || (skipped !== undefined && name === 'backfill')
  );
}

/** The end of an execution in one line, with what to do about a failure. */
export function runVerdict(result: RunResult): string {
  const { skipped, refused, nothing_new, verdict, ...output } = outputOf(result);
  if (skipped) return paint('yellow', `Skipped: ${skipped}`);
  if (refused) return paint('yellow', `Refused: ${refused}`);
  const took = paint('gray', `${result.name}, ${duration(result.durationMs)}`);
  if (result.status === 'SUCCEEDED') {
    const told = nothing_new ?? verdict;
    const notes = [output.still_costing, output.long_pause].filter((note) => note !== undefined);
    return [`${paint('green', 'Succeeded')} ${took}${told ? `: ${told}` : ''}`, ...notes].join('\n');
  }
  return `${paint('red', result.status === 'FAILED' ? 'Failed' : result.status)} ${took}\n${[result.error, result.cause].filter(Boolean).join(': ')}`;
}

/**
 * States on stdout: a line each when it has been left; on a terminal those at work, too, with a clock. `close` leaves
 * what is done on the screen and nothing else.
 */
function showStates(): { steps(steps: readonly StateStep[]): void; close(): void } {
  const live = process.stdout.isTTY === true;
  let atWork: readonly StateStep[] = [];
  const draw = () => logUpdate(atWork.map(stateLine).join('\n'));
  const timer = live ? setInterval(draw, REDRAW_EVERY_MS) : undefined;
  const printDone = printStatesOnce((line) => {
    if (live) logUpdate.clear();
    console.log(line);
  });
  return {
    steps(steps) {
      atWork = steps.filter((step) => SHOWN.test(step.type) && !step.exitedAt);
      printDone(steps);
      if (live) draw();
    },
    close() {
      clearInterval(timer);
      if (live) logUpdate.clear();
    },
  };
}

/** Runs a state machine once, states shown live, its verdict at the end. Ctrl-C stops looking, not the execution. */
export async function followMachine(
  world: World,
  name: StateMachineName,
  input: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const { sfn, arn, pollMs, link } = await world.stateMachine(name);
  const signal = interruption();
  const shown = showStates();
  try {
    const result = await runExecution(sfn, {
      stateMachineArn: arn,
      origin: 'cli',
      input,
      pollMs,
      signal,
      onStarted: (executionArn) => {
        const url = link(executionArn);
        if (url) console.log(paint('gray', url));
      },
      onSteps: shown.steps,
    });
    shown.close();
    console.log(runVerdict(result));
    if (isUndone(name, result)) process.exitCode = 1;
  } catch (error) {
    shown.close();
    if (!signal.aborted) throw error;
    console.log(`Not looking any more; the ${name} goes on in ${world.place}.`);
    process.exitCode = 1;
  }
}
