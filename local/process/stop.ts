import { setTimeout as pause } from 'node:timers/promises';
import { isAlive, type ProcessIdentity } from './identity.ts';

/** How a child wants to be stopped. */
export type StopRules = {
  /** The signal that asks it to end in good order. */
  stopSignal: NodeJS.Signals;
  /** How long it may take before it is killed. */
  stopWithinMs: number;
  /** Children that must have ended before this one is asked to. */
  stopAfter: readonly string[];
};

const POLL_MS = 20;
const KILLED_WITHIN_MS = 30_000;

/**
 * The order in which to stop children: each wave at once, one wave after the other. A name in `stopAfter` that isn't
 * among the children doesn't matter; children that wait for each other end together in the last wave.
 */
export function stopWaves(children: Readonly<Record<string, Pick<StopRules, 'stopAfter'>>>): string[][] {
  const waves: string[][] = [];
  let left = Object.keys(children);
  while (left.length > 0) {
    const free = left.filter(
      (name) => !children[name]?.stopAfter.some((other) => other !== name && left.includes(other)),
    );
    const wave = free.length > 0 ? free : left;
    waves.push(wave);
    left = left.filter((name) => !wave.includes(name));
  }
  return waves;
}

/**
 * Ends a process that leads its own process group: its signal first, and the group's death by SIGKILL when the bound
 * has passed. Returns how it went; a process that has ended already counts as stopped.
 */
export async function endProcess(
  identity: ProcessIdentity,
  { stopSignal, stopWithinMs }: Pick<StopRules, 'stopSignal' | 'stopWithinMs'>,
): Promise<'stopped' | 'killed'> {
  if (!isAlive(identity)) return 'stopped';
  send(identity.pid, stopSignal);
  if (await hasEnded(identity, stopWithinMs)) {
    killGroup(identity.pid);
    return 'stopped';
  }
  killGroup(identity.pid);
  if (!(await hasEnded(identity, KILLED_WITHIN_MS))) {
    throw new Error(
      `Process ${identity.pid} is still there ${KILLED_WITHIN_MS / 1000} s after SIGKILL; end it by hand.`,
    );
  }
  return 'killed';
}

/** Kills what is left of a child's process group. To be called while its leader lives or right after it ended. */
export function killGroup(leader: number): void {
  send(-leader, 'SIGKILL');
}

/** A process that has just gone is no error. */
function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function hasEnded(identity: ProcessIdentity, withinMs: number): Promise<boolean> {
  for (const deadline = Date.now() + withinMs; isAlive(identity); await pause(POLL_MS)) {
    if (Date.now() > deadline) return false;
  }
  return true;
}
