import type { Holder } from './lock-table.ts';
import type { RunningJob } from './remains.ts';

/** What the lock needs from outside. */
export type LockPorts = {
  take(by: Holder): Promise<Holder | undefined>;
  takeOver(by: Holder, from: Holder): Promise<Holder | undefined>;
  release(owner: string): Promise<boolean>;
  isExecutionOn(owner: string): Promise<boolean>;
  jobsOf(runId: string): Promise<RunningJob[]>;
  stopJobs(jobs: readonly RunningJob[]): Promise<void>;
};

/** `taken`: this run has the lock. `reason` says who has it else, or whose stale one was taken over. */
export type Acquired = { taken: boolean; reason: string };

/** `released`: false when this run didn't hold the lock. */
export type Released = { released: boolean };

/** A job of the ending run is still on and may write: the lock stays until it has stopped. */
export class JobStillRunning extends Error {
  override name = 'JobStillRunning';
}

/**
 * Takes the lock for a run, or says who has it. A lock is stale, and taken over, only when its owner's execution has
 * ended and no job of it is on: a run that timed out may have left one that writes.
 */
export async function acquire(ports: LockPorts, me: Holder): Promise<Acquired> {
  const holder = await ports.take(me);
  if (holder === undefined) return { taken: true, reason: 'the lock was free' };
  const held = await whyHeld(ports, holder);
  if (held !== undefined) return { taken: false, reason: held };
  const faster = await ports.takeOver(me, holder);
  if (faster !== undefined)
    return { taken: false, reason: `another run, ${faster.runId}, has just taken the lock` };
  return { taken: true, reason: `taken over from ${holder.runId}, which ended without giving it back` };
}

async function whyHeld(ports: LockPorts, holder: Holder): Promise<string | undefined> {
  if (await ports.isExecutionOn(holder.owner)) {
    return `another run, ${holder.runId}, is in progress since ${holder.takenAt}`;
  }
  const [job] = await ports.jobsOf(holder.runId);
  return job && `run ${holder.runId} has ended, but its job run ${job.id} of ${job.job} is still on`;
}

/**
 * Gives the lock back. Again, or without having it, changes nothing.
 *
 * Throws JobStillRunning when a job of this run is on (its task timed out), having asked it to stop: try again.
 */
export async function release(ports: LockPorts, me: { owner: string; runId: string }): Promise<Released> {
  const jobs = await ports.jobsOf(me.runId);
  if (jobs.length > 0) {
    await ports.stopJobs(jobs);
    const named = jobs.map(({ job, id }) => `${id} of ${job}`).join(', ');
    throw new JobStillRunning(
      `Job run ${named} was asked to stop; the lock of run ${me.runId} stays until it has`,
    );
  }
  return { released: await ports.release(me.owner) };
}
