/** Runs the medallion again as soon as the last run has ended and something new has landed. */
import { setTimeout as delay } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import type { Registry } from '../functions/cdc/registry.ts';
import { anythingNew, type News } from '../functions/preflight/anything-new.ts';
import { clientSettings } from './aws/platform.ts';
import { type RunResult, runMedallion, type StateStep } from './medallion.ts';

const LOOK_EVERY_MS = 1_000;
/** What is left from a failed run may fail again: it is not tried at every look. */
const UNFINISHED_PAUSE_MS = 15_000;
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
};

/** Whether something waits for a run, by the same look as the preflight's. */
export function lookForNews({
  endpointUrl,
  bucket,
  registry,
}: Pick<LoopOptions, 'endpointUrl' | 'bucket' | 'registry'>): Promise<News> {
  const s3 = new S3Client(clientSettings(endpointUrl));
  const zone = { bucket, tables: registry.tables.map(({ id }) => id), lookBackMs: LOOK_BACK_MS };
  return anythingNew(s3, zone, new Date());
}

/** Looks every second, runs, and looks again, until the signal. */
export async function runContinuously(options: LoopOptions): Promise<void> {
  const sfn = new SFNClient(clientSettings(options.endpointUrl));
  let lastFailedAt = 0;
  while (!options.signal.aborted) {
    const news = await lookForNews(options);
    const due =
      news.kind === 'landed' ||
      (news.kind === 'unfinished' && Date.now() - lastFailedAt > UNFINISHED_PAUSE_MS);
    if (due) {
      const result = await runMedallion(sfn, {
        stateMachineArn: options.medallionArn,
        origin: 'loop',
        signal: options.signal,
        ...(options.onSteps ? { onSteps: options.onSteps } : {}),
      });
      if (result.status !== 'SUCCEEDED') lastFailedAt = Date.now();
      options.onRun?.(result);
    }
    await delay(LOOK_EVERY_MS, undefined, { signal: options.signal }).catch(() => {});
  }
}
