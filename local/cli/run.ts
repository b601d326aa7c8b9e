import { SFNClient } from '@aws-sdk/client-sfn';
import type { Command } from 'commander';
import { clientSettings } from '../aws/platform.ts';
import { type RunResult, runExecution, type StateStep } from '../execution.ts';
import { address, runningTwin } from './context.ts';
import { duration, paint } from './output.ts';

type Options = { state?: string; force?: boolean };

/** States that do work worth a line; the choices between them take no time. */
const SHOWN = /^(AcquireLock|Preflight|Bronze|Silver|Gold|BronzeGate|SilverGate|GoldGate|Alert|ReleaseLock)$/;

function stateLine({ state, enteredAt, exitedAt }: StateStep): string {
  const took = exitedAt ? duration(exitedAt.getTime() - enteredAt.getTime()) : 'running';
  return `  ${paint('green', '✔')} ${state.padEnd(12)} ${paint('gray', took)}`;
}

/** Prints each state once, when it has been left. */
export function printStatesOnce(print: (line: string) => void): (steps: readonly StateStep[]) => void {
  let printed = 0;
  return (steps) => {
    const done = steps.filter((step) => SHOWN.test(step.state) && step.exitedAt);
    for (const step of done.slice(printed)) print(stateLine(step));
    printed = done.length;
  };
}

/** The end of a run in one line, with what to do about a failure. */
export function runVerdict(result: RunResult): string {
  const skipped = (result.output as { skipped?: string } | undefined)?.skipped;
  if (skipped) return paint('yellow', `Skipped: ${skipped}`);
  const took = paint('gray', `${result.name}, ${duration(result.durationMs)}`);
  if (result.status === 'SUCCEEDED') return `${paint('green', 'Succeeded')} ${took}`;
  return `${paint('red', result.status === 'FAILED' ? 'Failed' : result.status)} ${took}\n${[result.error, result.cause].filter(Boolean).join(': ')}`;
}

export function registerRun(program: Command): void {
  program
    .command('run')
    .description('run the medallion once and show its states')
    .option('--force', 'run all layers even when nothing new has landed')
    .option('--state <folder>', 'the state folder of the twin')
    .action(async (options: Options) => {
      const { state } = runningTwin(options.state);
      const result = await runExecution(new SFNClient(clientSettings(address(state, 'endpoint'))), {
        stateMachineArn: address(state, 'medallion'),
        origin: 'cli',
        input: options.force ? { force: true } : {},
        onSteps: printStatesOnce(console.log),
      });
      console.log(runVerdict(result));
      if (result.status !== 'SUCCEEDED') process.exitCode = 1;
    });
}
