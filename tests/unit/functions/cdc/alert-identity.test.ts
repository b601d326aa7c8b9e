import { describe, expect, it } from '@jest/globals';
import { alertIdentity, newsOf } from '../../../../functions/cdc/alert-identity.ts';
import { verdictOf } from '../../../../functions/cdc/report.ts';
import { heldTable, soundReport } from '../../../statemachines/spark-worker.ts';

const broken = (job: string, run: string, ErrorMessage: string) => ({
  error: {
    Error: 'States.TaskFailed',
    Cause: JSON.stringify({ Id: run, JobName: job, JobRunState: 'FAILED', ErrorMessage }),
  },
});
const held = (run: string, ...tables: string[]) => ({
  silver_gate: verdictOf(soundReport(run, 'silver', { tables: tables.map((table) => heldTable(table)) })),
});

describe('the identity of a failure', () => {
  it('is the same in the next run, whose ids, counts and times are others', () => {
    const first = broken(
      'silver',
      'jr_0a1b',
      'No memory after 17 rows of batch 4711 at 2026-01-01T10:00:00Z',
    );
    const next = broken('silver', 'jr_ff02', 'No memory after 23 rows of batch 4712 at 2026-01-01T10:15:00Z');
    expect(alertIdentity(next)).toBe(alertIdentity(first));
    expect(alertIdentity(held('r2', 'public.orders'))).toBe(alertIdentity(held('r1', 'public.orders')));
  });

  it.each([
    ['another job', broken('gold', 'jr_1', 'No memory')],
    ['another reason', broken('silver', 'jr_1', 'No such bucket')],
    ['a gate', held('r1', 'public.orders')],
    ['a refusal', { preflight: { refuse: 'The source is another one' } }],
  ])('is another one for %s', (_what, state) => {
    expect(alertIdentity(state)).not.toBe(alertIdentity(broken('silver', 'jr_1', 'No memory')));
  });

  it('is another one when one table more is held back', () => {
    const one = alertIdentity(held('r1', 'public.orders'));
    expect(alertIdentity(held('r1', 'public.orders', 'public.users'))).not.toBe(one);
    expect(alertIdentity(held('r1', 'public.users', 'public.orders'))).toBe(
      alertIdentity(held('r1', 'public.orders', 'public.users')),
    );
  });
});

describe('a failure', () => {
  const failed = (identity: string, run: string) => ({ identity, run });
  const at = (time: string) => new Date(`2026-01-01T${time}:00Z`);

  it('is news at first, when it is another one, and again after six hours', () => {
    const first = newsOf({}, failed('a', 'r1'), at('10:00'));
    expect(first).toEqual({ tell: true, told: { a: { at: '2026-01-01T10:00:00.000Z', run: 'r1' } } });
    expect(newsOf(first.told, failed('a', 'r2'), at('15:59')).tell).toBe(false);
    const second = newsOf(first.told, failed('b', 'r3'), at('12:00'));
    expect(second.tell).toBe(true);
    // Two that alternate are told once each.
    expect(newsOf(second.told, failed('a', 'r4'), at('12:15')).tell).toBe(false);
    expect(newsOf(second.told, failed('a', 'r5'), at('16:00'))).toEqual({
      tell: true,
      told: {
        a: { at: '2026-01-01T16:00:00.000Z', run: 'r5' },
        b: { at: '2026-01-01T12:00:00.000Z', run: 'r3' },
      },
    });
  });

  it('is news once more for the run whose answer was lost', () => {
    const { told } = newsOf({}, failed('a', 'r1'), at('10:00'));
    expect(newsOf(told, failed('a', 'r1'), at('10:01'))).toEqual({ tell: true, told });
  });
});
