import { type CostGuardState, progressLines } from './cost-guard-progress.ts';
import type { Job } from './names.ts';
import type { Failure, GateAnswer } from './report.ts';

/** An error as a state machine's Catch keeps it: `Cause` is often the JSON of a failed job run or Lambda error. */
export type CaughtError = { Error: string; Cause: string };

/** What a run's state holds when something went wrong; what wasn't reached is missing. */
export type RunState = {
  error?: CaughtError;
  preflight?: { refuse?: string | null };
  bronze_gate?: GateAnswer;
  silver_gate?: GateAnswer;
  gold_gate?: GateAnswer;
  maintenance_gate?: GateAnswer;
} & CostGuardState;

/** The state machines that alert. */
export type Machine = 'medallion' | 'maintenance' | 'backfill' | 'cost-guard';

export type RunPlace = {
  project: string;
  stage: string;
  what: Machine;
  runId: string;
  executionArn: string;
  bucket: string;
};

/** `error` is one word for the execution's end, `subject` at most 100 characters as SNS takes. */
export type AlertMessage = { error: string; subject: string; message: string };

/** SNS: a subject has fewer than 100 characters, of printable ASCII. */
const SUBJECT_LENGTH = 99;
const FAILURES_SHOWN = 20;
/** Hours in which the same failure of the medallion is told once. */
export const TOLD_ONCE_IN_HOURS = 6;
const JOBS: readonly Job[] = ['bronze', 'silver', 'gold', 'maintenance'];
const SUBJECTS: Record<Machine, string> = {
  medallion: 'The run',
  maintenance: 'Maintenance',
  backfill: 'The backfill',
  'cost-guard': 'The cost guard',
};

/** What people read when a run went wrong: what, which table, which check, which value, how to look further. */
export function alertMessage(place: RunPlace, state: RunState): AlertMessage {
  const gates = JOBS.flatMap((job) => state[`${job}_gate`] ?? []);
  const failed = gates.filter(({ verdict }) => verdict === 'fail');
  const refused = state.preflight?.refuse ?? null;
  const what = headline(SUBJECTS[place.what], state.error, refused, failed);
  const lines = [
    `${what.text}.`,
    '',
    ...(refused === null ? [] : [refused, '']),
    ...(state.error ? [...caughtLines(state.error), ''] : []),
    ...failed.flatMap((gate) => [...gateLines(gate), '']),
    ...(place.what === 'cost-guard' && state.lock?.taken ? [...progressLines(state), ''] : []),
    ...howToLook(place),
  ];
  return { error: what.error, subject: subjectOf(place, what.text), message: lines.join('\n') };
}

function headline(
  subject: string,
  error: CaughtError | undefined,
  refused: string | null,
  failed: readonly GateAnswer[],
): { error: string; text: string } {
  if (refused !== null) return { error: 'SourceChanged', text: `${subject} was refused before it began` };
  if (error) return { error: 'RunBroke', text: `${subject} broke: ${error.Error}` };
  const layers = failed.map(({ layer }) => layer).join(', ');
  const ended = failed.some(({ proceed }) => !proceed);
  if (ended) return { error: 'GateFailed', text: `${subject} ended at the gate of ${failed.at(-1)?.layer}` };
  return { error: 'GateFailed', text: `${subject} went on to its end, but ${layers} failed its gate` };
}

/** A failed job run's Cause is the run, a Lambda error's its payload; both say what happened in one of their fields. */
export function reasonOf({ Cause: cause }: CaughtError): { job?: string; run?: string; reason: string } {
  const told = parsedObject(cause);
  const reason = String(told['ErrorMessage'] ?? told['errorMessage'] ?? cause);
  if (told['JobName'] === undefined) return { reason };
  return { job: String(told['JobName']), run: `run ${told['Id']}, ${told['JobRunState']}`, reason };
}

function caughtLines(error: CaughtError): string[] {
  const { job, run, reason } = reasonOf(error);
  return [
    ...(job === undefined ? [] : [`Job: ${job}, ${run}`]),
    `Error: ${error.Error}`,
    `Reason: ${reason}`,
  ];
}

function parsedObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function gateLines({ layer, reason, proceed, failures, held }: GateAnswer): string[] {
  const left = failures.length - FAILURES_SHOWN;
  return [
    `${layer}: ${reason}`,
    ...failures.slice(0, FAILURES_SHOWN).map(failureLine),
    ...(left > 0 ? [`  and ${left} more`] : []),
    ...(proceed && held.length > 0
      ? [`  Held back: ${held.join(', ')} and the gold models that read them; the rest was published.`]
      : []),
  ];
}

function failureLine({ table, check, value, limit, detail }: Failure): string {
  const measured = value === null ? '' : ` = ${value}${limit === null ? '' : `, allowed ${limit}`}`;
  return `  - ${table}: ${check}${measured}${detail === null ? '' : ` (${detail})`}`;
}

function howToLook({ what, runId, executionArn, bucket }: RunPlace): string[] {
  const history = `  history: aws stepfunctions get-execution-history --execution-arn ${executionArn} --reverse-order`;
  if (what === 'backfill' || what === 'cost-guard') return ['To look further:', history];
  const again = `While it stays the same, it is told again after ${TOLD_ONCE_IN_HOURS} hours.`;
  return [
    ...(what === 'medallion' ? [again] : []),
    'To look further:',
    `  reports: s3://${bucket}/reports/${runId}/<layer>.json`,
    history,
    '  logs of a job: CloudWatch /aws-glue/jobs/error, the job run above; in the local twin logs/spark.log',
  ];
}

function subjectOf({ project, stage }: RunPlace, text: string): string {
  const ascii = `${project} ${stage}: ${text}`.replace(/[^ -~]/g, '?');
  return ascii.length <= SUBJECT_LENGTH ? ascii : `${ascii.slice(0, SUBJECT_LENGTH - 3)}...`;
}
