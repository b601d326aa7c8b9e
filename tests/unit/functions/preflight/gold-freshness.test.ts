import { describe, expect, it } from '@jest/globals';
import type { LatestReports, News } from '../../../../functions/preflight/anything-new.ts';
import { goldCurrentAt } from '../../../../functions/preflight/gold-freshness.ts';
import { heldTable, soundReport } from '../../../statemachines/spark-worker.ts';

const LISTED = '2026-01-01T10:00:00.000Z';
const EARLIER = '2026-01-01T08:00:00.000Z';
const NOW = new Date('2026-01-01T11:00:00.000Z');
const nothing: News = { kind: 'nothing', reason: 'nothing has landed since the last run' };
const landed: News = { kind: 'landed', reason: 'landing/public.users/... has landed' };

const listing = { at: LISTED, full: false, recent: [] };
const complete: Required<LatestReports> = {
  bronze: soundReport('r', 'bronze', { listing, started_at: LISTED }),
  silver: soundReport('r', 'silver'),
  gold: soundReport('r', 'gold'),
};

describe('how current gold is', () => {
  it('is now when nothing landed behind a sound run', () => {
    expect(goldCurrentAt(complete, nothing, EARLIER, NOW)).toBe(NOW.toISOString());
  });

  it('is when the last sound run listed the landing zone, once something landed behind it', () => {
    expect(goldCurrentAt(complete, landed, EARLIER, NOW)).toBe(LISTED);
  });

  it('does not go back when a later look found nothing new behind that run', () => {
    const looked = '2026-01-01T10:30:00.000Z';
    expect(goldCurrentAt(complete, landed, looked, NOW)).toBe(looked);
  });

  it.each<[string, LatestReports]>([
    ['fails', { ...complete, gold: soundReport('r', 'gold', { status: 'failed', error: 'broke' }) }],
    ['ends before gold', { ...complete, gold: soundReport('q', 'gold') }],
    [
      'holds a table back',
      { ...complete, gold: soundReport('r', 'gold', { tables: [heldTable('daily_sales')] }) },
    ],
    [
      'leaves files for the next one',
      { ...complete, bronze: soundReport('r', 'bronze', { listing: { ...listing, left: 3 } }) },
    ],
  ])('stays where it was when a run %s, news or not', (_, reports) => {
    expect(goldCurrentAt(reports, landed, EARLIER, NOW)).toBe(EARLIER);
    expect(goldCurrentAt(reports, nothing, EARLIER, NOW)).toBe(EARLIER);
  });

  it('counts from the first run’s start when no run was ever sound', () => {
    const broken = { bronze: complete.bronze };
    expect(goldCurrentAt(broken, landed, null, NOW)).toBe(LISTED);
  });

  it('is unknown before anything was taken', () => {
    expect(goldCurrentAt({}, nothing, null, NOW)).toBeNull();
  });
});
