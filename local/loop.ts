/** Runs the medallion again as soon as the last run has ended and something new has landed. */
import { setTimeout as delay } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import type { Registry } from '../functions/cdc/registry.ts';
import { anythingNew } from '../functions/preflight/anything-new.ts';
import { clientSettings } from './aws/platform.ts';
import { type RunResult, runExecution, type StateStep } from './execution.ts';

const LOOK_EVERY_MS = 1_000;
/** A run that failed is not repeated at every look: each failure is an alert. The pause doubles up to a minute. */
const FIRST_FAILURE_PAUSE_MS = 5_000;
const LONGEST_FAILURE_PAUSE_MS = 60_000;
/** As the twin's preflight: small files land every second, and a full day's list would take long. */
const LOOK_BACK_MS = 2 * 60 * 60 * 1_000;

export type LoopOptions = {
  readonly endpointUrl: string;
  readonly medallionArn: string;
  readonly bucket: string;
  readonly registry: Pick<Registry, 'tables'>;
  readonly signal: AbortSignal;
  /** The states of the run at work. */
  readonly onSteps?: (steps: readonly StateStep[]) => void;
  readonly onRun?: (result: RunResult) => void;
  /** The endpoint didn't answer; it is asked again. */
  readonly onTrouble?: (message: string) => void;
};

/** Looks every second, runs when something waits, and looks again, until the signal. Trouble is told and outlived. */
export async function runContinuously(options: LoopOptions): Promise<void> {
  const clients = clientSettings(options.endpointUrl);
  const s3 = new S3Client(clients);
  const sfn = new SFNClient(clients);
  let failures = 0;
  while (!options.signal.aborted) {
    try {
      if (await somethingWaits(s3, options)) failures = (await runOnce(sfn, options)) ? 0 : failures + 1;
    } catch (error) {
      if (options.signal.aborted) break;
      failures += 1;
      options.onTrouble?.(`The lake waits, for the endpoint does not answer: ${(error as Error).message}`);
    }
    await delay(pauseAfter(failures), undefined, { signal: options.signal }).catch(() => {});
  }
  s3.destroy();
  sfn.destroy();
}

/** Milliseconds until the next look after so many failures in a row. */
export function pauseAfter(failures: number): number {
  if (failures === 0) return LOOK_EVERY_MS;
  return Math.min(FIRST_FAILURE_PAUSE_MS * 2 ** (failures - 1), LONGEST_FAILURE_PAUSE_MS);
}

/** Whether something waits for a run, by the same look as the preflight's. */
async function somethingWaits(s3: S3Client, { bucket, registry }: LoopOptions): Promise<boolean> {
  const zone = { bucket, tables: registry.tables.map(({ id }) => id), lookBackMs: LOOK_BACK_MS };
  return (await anythingNew(s3, zone, new Date())).kind !== 'nothing';
}

async function runOnce(sfn: SFNClient, options: LoopOptions): Promise<boolean> {
  const result = await runExecution(sfn, {
    stateMachineArn: options.medallionArn,
    origin: 'loop',
    signal: options.signal,
    ...(options.onSteps ? { onSteps: options.onSteps } : {}),
  });
  options.onRun?.(result);
  return result.status === 'SUCCEEDED';
}
