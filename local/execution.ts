/** Starts a state machine and follows its states, through the Step Functions API, on AWS and in the twin alike. */

import { setTimeout as delay } from 'node:timers/promises';
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  type SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';

/** One state of a run: entered, then left with its duration in ms. */
export interface StateStep {
  readonly state: string;
  /** Of which type: Task, Choice, Pass, Wait, Map and so on. */
  readonly type: string;
  readonly enteredAt: Date;
  readonly exitedAt?: Date;
}

/** How a run ended. `output` is the execution's JSON; `error` and `cause` are set when it failed. */
export interface RunResult {
  readonly executionArn: string;
  readonly name: string;
  readonly status: 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';
  readonly output?: unknown;
  readonly error?: string;
  readonly cause?: string;
  readonly steps: readonly StateStep[];
  readonly durationMs: number;
}

/** Names of executions sort by time and say where they come from: cli-20260101T120000123Z. */
export function executionName(origin: string, at: Date): string {
  return `${origin}-${at.toISOString().replaceAll(/[-:.]/g, '')}`;
}

/** The states entered and left, in order, from an execution's history. */
export function stepsOf(events: readonly HistoryEvent[]): StateStep[] {
  const steps: { state: string; type: string; enteredAt: Date; exitedAt?: Date }[] = [];
  for (const event of events) {
    const at = event.timestamp ?? new Date(0);
    const entered = event.stateEnteredEventDetails?.name;
    const exited = event.stateExitedEventDetails?.name;
    if (entered) steps.push({ state: entered, type: typeOf(event), enteredAt: at });
    if (exited) {
      const open = steps.findLast((step) => step.state === exited && !step.exitedAt);
      if (open) open.exitedAt = at;
    }
  }
  return steps;
}

/** `TaskStateEntered` -> `Task`. */
function typeOf({ type }: HistoryEvent): string {
  return type?.replace(/StateEntered$/, '') ?? '';
}

async function history(sfn: SFNClient, executionArn: string): Promise<HistoryEvent[]> {
  const events: HistoryEvent[] = [];
  let nextToken: string | undefined;
  do {
    const page = await sfn.send(
      new GetExecutionHistoryCommand({
        executionArn,
        maxResults: 1000,
        // Names and times are all that is shown; the data may be under a key that this user can't use.
        includeExecutionData: false,
        ...(nextToken ? { nextToken } : {}),
      }),
    );
    events.push(...(page.events ?? []));
    nextToken = page.nextToken;
  } while (nextToken);
  return events;
}

/**
 * Runs the state machine once and answers how it ended.
 *
 * `onSteps` gets the states so far whenever they have changed. Looks every `pollMs`.
 */
export async function runExecution(
  sfn: SFNClient,
  run: {
    readonly stateMachineArn: string;
    readonly origin: string;
    readonly input?: Readonly<Record<string, unknown>>;
    readonly pollMs?: number;
    readonly signal?: AbortSignal;
    readonly onStarted?: (executionArn: string) => void;
    readonly onSteps?: (steps: readonly StateStep[]) => void;
  },
): Promise<RunResult> {
  const name = executionName(run.origin, new Date());
  const { executionArn } = await sfn.send(
    new StartExecutionCommand({
      stateMachineArn: run.stateMachineArn,
      name,
      input: JSON.stringify(run.input ?? {}),
    }),
  );
  if (!executionArn) throw new Error(`Step Functions took execution ${name} without an ARN`);
  run.onStarted?.(executionArn);
  let shown = '';
  for (;;) {
    run.signal?.throwIfAborted();
    const { status, output, error, cause, startDate, stopDate } = await sfn.send(
      new DescribeExecutionCommand({ executionArn }),
    );
    const ended = status !== undefined && status !== 'RUNNING' && status !== 'PENDING_REDRIVE';
    if (run.onSteps || ended) {
      const steps = stepsOf(await history(sfn, executionArn));
      const now = steps.map((step) => `${step.state}${step.exitedAt ? '.' : ''}`).join(' ');
      if (now !== shown) {
        shown = now;
        run.onSteps?.(steps);
      }
      if (ended) {
        return {
          executionArn,
          name,
          status,
          ...(output ? { output: JSON.parse(output) } : {}),
          ...(error ? { error } : {}),
          ...(cause ? { cause } : {}),
          steps,
          durationMs: (stopDate ?? new Date()).getTime() - (startDate ?? new Date()).getTime(),
        };
      }
    }
    await delay(run.pollMs ?? 200, undefined, run.signal ? { signal: run.signal } : {});
  }
}
