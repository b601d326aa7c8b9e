import { createHash } from 'node:crypto';
import { type CaughtError, type RunState, reasonOf, TOLD_ONCE_IN_HOURS } from './alert-message.ts';

/** Which failures were told, by their identity: when (ISO 8601), and by which run. */
export type Told = Readonly<Record<string, { at: string; run: string }>>;

/** A failure and the run that it ended. */
export type Failed = { identity: string; run: string };

/** A reason's beginning says what it is; what follows are often rows of a stack trace. */
const REASON_LENGTH = 300;

/**
 * What a failure is, however often it comes: the same error of the same job for the same reason, or the same checks of
 * the same tables. Numbers, ids and times of a run don't count.
 */
export function alertIdentity({ error, preflight, bronze_gate, silver_gate, gold_gate }: RunState): string {
  const gates = [bronze_gate, silver_gate, gold_gate].flatMap((gate) =>
    gate?.verdict === 'fail'
      ? [[gate.layer, ...gate.failures.map(({ table, check }) => `${table} ${check}`).sort()]]
      : [],
  );
  const said = [error ? errorIdentity(error) : null, withoutNumbers(preflight?.refuse ?? ''), gates];
  return createHash('sha256').update(JSON.stringify(said)).digest('hex').slice(0, 16);
}

/**
 * Whether a failure must be told now, and what to remember then. The run that it was told for gets the same answer when
 * it asks again: the first one may have been lost.
 * @param told what was told so far
 */
export function newsOf(told: Told, { identity, run }: Failed, now: Date): { tell: boolean; told: Told } {
  const since = now.getTime() - TOLD_ONCE_IN_HOURS * 3_600_000;
  const recent = Object.fromEntries(Object.entries(told).filter(([, { at }]) => Date.parse(at) > since));
  const before = recent[identity];
  if (before !== undefined) return { tell: before.run === run, told: recent };
  return { tell: true, told: { ...recent, [identity]: { at: now.toISOString(), run } } };
}

function errorIdentity(error: CaughtError): string[] {
  const { job, reason } = reasonOf(error);
  return [error.Error, job ?? '', withoutNumbers(reason).slice(0, REASON_LENGTH)];
}

/** Counts, offsets, times, ids of runs and requests: all that has a digit in it. */
function withoutNumbers(text: string): string {
  return text.replace(/[\w-]*\d[\w-]*/g, '#');
}
