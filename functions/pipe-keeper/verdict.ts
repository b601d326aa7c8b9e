/** What EventBridge says of a pipe that does not run. */
export type StoppedPipe = {
  name: string;
  /** `CurrentState`: STOPPED, START_FAILED, UPDATE_FAILED and so on. */
  state: string;
  /** `DesiredState`, what was asked for last: RUNNING or STOPPED. */
  desired: string;
  /** `StateReason`, empty when there is none. */
  reason: string;
  /** When it was changed last; undefined when EventBridge doesn't say. */
  changedAt: Date | undefined;
};

/**
 * What to do with it. `moving`: it is on its way to another state. `paused`: somebody wants it so. `broken`: only a
 * deployment mends it. `blocked`: what made it stop goes on. `resting`: it was started a short while ago. `start`: now.
 */
export type Verdict = { what: 'moving' | 'paused' | 'broken' | 'blocked' | 'resting' | 'start'; why: string };

/** A pipe whose cause isn't gone would be disabled again; its partition waits meanwhile, and nothing is lost. */
const REST_MS = 10 * 60 * 1000;

const MOVING = new Set(['CREATING', 'UPDATING', 'DELETING', 'STARTING', 'STOPPING']);
/** States that StartPipe leaves. */
const STARTABLE = new Set(['STOPPED', 'START_FAILED', 'STOP_FAILED']);

/**
 * Judges a pipe that does not run.
 * @param cause what is wrong with what the pipe reads, calls or writes; null when nothing is
 */
export function verdictOn(pipe: StoppedPipe, cause: string | null, now: Date): Verdict {
  if (MOVING.has(pipe.state)) return { what: 'moving', why: `it is ${pipe.state}` };
  if (isWish(pipe))
    return { what: 'paused', why: 'somebody stopped it; start it with StartPipe when it shall run' };
  if (!STARTABLE.has(pipe.state)) {
    return {
      what: 'broken',
      why: `it is ${pipe.state} (${pipe.reason || 'no reason given'}); deploy the stack again`,
    };
  }
  if (cause !== null) return { what: 'blocked', why: `${cause}; it is started again when that is mended` };
  const restedMs = now.getTime() - (pipe.changedAt?.getTime() ?? 0);
  if (restedMs < REST_MS)
    return { what: 'resting', why: 'it stopped a short while ago; it is started in ten minutes' };
  return { what: 'start', why: `it was ${pipe.state}: ${pipe.reason || 'no reason given'}` };
}

/**
 * "User initiated" in AWS's documentation, USER_INITIATED as accounts were seen to answer. A refusal of IAM, which begins
 * with "User: arn:", is none.
 */
const BY_A_USER = /(?<![a-z])user(?![a-z]|:)/i;

/**
 * Whether somebody stopped it, a person or the cost guard, and not EventBridge after errors, which it names. What the
 * guard stopped it starts itself, before it has this function run again.
 */
function isWish({ state, desired, reason }: StoppedPipe): boolean {
  return state === 'STOPPED' && desired === 'STOPPED' && (reason === '' || BY_A_USER.test(reason));
}
