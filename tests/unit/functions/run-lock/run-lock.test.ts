import { describe, expect, it } from '@jest/globals';
import type { Holder } from '../../../../functions/run-lock/lock-table.ts';
import type { RunningJob } from '../../../../functions/run-lock/remains.ts';
import { acquire, type LockPorts, release } from '../../../../functions/run-lock/run-lock.ts';

const me: Holder = { owner: 'arn:execution:me', runId: 'me', takenAt: '2026-01-01T00:00:00.000Z' };
const other: Holder = { owner: 'arn:execution:other', runId: 'other', takenAt: '2025-12-31T23:00:00.000Z' };

/** A lock in memory, with the executions and jobs that are on. */
function lockOf(
  holder: Holder | undefined,
  on: { executions?: string[]; jobs?: Record<string, RunningJob[]> } = {},
) {
  const state = { holder, stopped: [] as RunningJob[] };
  const ports: LockPorts = {
    async take(by) {
      if (state.holder && state.holder.owner !== by.owner) return state.holder;
      state.holder = by;
      return undefined;
    },
    async takeOver(by, from) {
      if (state.holder?.owner !== from.owner) return state.holder ?? from;
      state.holder = by;
      return undefined;
    },
    async release(owner) {
      if (state.holder?.owner !== owner) return false;
      state.holder = undefined;
      return true;
    },
    isExecutionOn: async (owner) => on.executions?.includes(owner) ?? false,
    jobsOf: async (runId) => on.jobs?.[runId] ?? [],
    stopJobs: async (jobs) => {
      state.stopped.push(...jobs);
    },
  };
  return { state, ports };
}

describe('taking the run lock', () => {
  it('takes a free one', async () => {
    const { state, ports } = lockOf(undefined);
    expect(await acquire(ports, me)).toEqual({ taken: true, reason: 'the lock was free' });
    expect(state.holder).toEqual(me);
  });

  it('takes it again for the same execution: an answer may have been lost', async () => {
    const { ports } = lockOf(me);
    expect((await acquire(ports, me)).taken).toBe(true);
  });

  it('leaves it to an execution that is on', async () => {
    const { state, ports } = lockOf(other, { executions: [other.owner] });
    expect(await acquire(ports, me)).toEqual({
      taken: false,
      reason: 'another run, other, is in progress since 2025-12-31T23:00:00.000Z',
    });
    expect(state.holder).toEqual(other);
  });

  it('leaves it while a job of an ended execution is on', async () => {
    const { state, ports } = lockOf(other, { jobs: { other: [{ job: 'silver', id: 'jr_1' }] } });
    expect((await acquire(ports, me)).reason).toBe(
      'run other has ended, but its job run jr_1 of silver is still on',
    );
    expect(state.holder).toEqual(other);
  });

  it('takes over from an execution that has ended, and says so', async () => {
    const { state, ports } = lockOf(other);
    expect(await acquire(ports, me)).toEqual({
      taken: true,
      reason: 'taken over from other, which ended without giving it back',
    });
    expect(state.holder).toEqual(me);
  });

  it('lets only one of two take a stale lock over', async () => {
    const { state, ports } = lockOf(other);
    const third = { ...me, owner: 'arn:execution:third', runId: 'third' };
    const answers = await Promise.all([acquire(ports, me), acquire(ports, third)]);
    expect(answers.filter(({ taken }) => taken)).toHaveLength(1);
    expect(answers.find(({ taken }) => !taken)?.reason).toMatch(/has just taken the lock$/);
    expect([me, third]).toContainEqual(state.holder);
  });
});

describe('giving the run lock back', () => {
  it('frees it, and changes nothing the second time', async () => {
    const { state, ports } = lockOf(me);
    expect(await release(ports, me)).toEqual({ released: true });
    expect(state.holder).toBeUndefined();
    expect(await release(ports, me)).toEqual({ released: false });
  });

  it('never frees another’s', async () => {
    const { state, ports } = lockOf(other);
    expect(await release(ports, me)).toEqual({ released: false });
    expect(state.holder).toEqual(other);
  });

  it('stops a job of the run that is on, and keeps the lock until it has ended', async () => {
    const job = { job: 'silver', id: 'jr_1' };
    const { state, ports } = lockOf(me, { jobs: { me: [job] } });
    await expect(release(ports, me)).rejects.toMatchObject({ name: 'JobStillRunning' });
    expect(state).toEqual({ holder: me, stopped: [job] });
  });
});
