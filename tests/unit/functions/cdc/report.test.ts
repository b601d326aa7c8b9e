import { describe, expect, it } from '@jest/globals';
import { parseReport, verdictOf, verdictWithoutReport } from '../../../../functions/cdc/report.ts';
import { heldTable, soundReport, soundTable } from '../../../statemachines/spark-worker.ts';

const failedWarning = {
  name: 'known_status',
  severity: 'warn',
  value: 2,
  limit: 0,
  passed: false,
  detail: 'odd',
} as const;

describe('the verdict on a layer', () => {
  it('passes a sound report', () => {
    expect(verdictOf(soundReport('r', 'silver'))).toEqual({
      verdict: 'pass',
      proceed: true,
      layer: 'silver',
      reason: 'silver is sound, 2 tables',
      failures: [],
      held: [],
    });
  });

  it('passes a run that had nothing to do', () => {
    expect(verdictOf(soundReport('r', 'bronze', { tables: [] }))).toMatchObject({
      verdict: 'pass',
      proceed: true,
    });
  });

  it('warns of failed checks of severity warn, and goes on', () => {
    const report = soundReport('r', 'gold', {
      tables: [soundTable('daily_sales', { checks: [failedWarning] })],
    });
    expect(verdictOf(report)).toMatchObject({
      verdict: 'warn',
      proceed: true,
      failures: [{ table: 'daily_sales', check: 'known_status', value: 2, limit: 0, detail: 'odd' }],
    });
  });

  it('fails for one held table, names check and value once, and goes on with the rest', () => {
    const report = soundReport('r', 'silver', {
      tables: [soundTable('public.users'), heldTable('public.orders')],
    });
    expect(verdictOf(report)).toEqual({
      verdict: 'fail',
      proceed: true,
      layer: 'silver',
      reason: '1 failure in silver; held back: public.orders',
      failures: [{ table: 'public.orders', check: 'total_not_negative', value: 3, limit: 0, detail: null }],
      held: ['public.orders'],
    });
  });

  it('names a table that is held without a failed check by its reason', () => {
    const held = soundTable('public.orders', { published: false, held: 'total changed from int to text' });
    const { failures } = verdictOf(
      soundReport('r', 'silver', { tables: [soundTable('public.users'), held] }),
    );
    expect(failures).toEqual([
      {
        table: 'public.orders',
        check: 'held',
        value: null,
        limit: null,
        detail: 'total changed from int to text',
      },
    ]);
  });

  it('does not go on when every table is held', () => {
    const report = soundReport('r', 'silver', { tables: [heldTable('public.orders')] });
    expect(verdictOf(report)).toMatchObject({ verdict: 'fail', proceed: false });
  });

  it('does not go on when the job failed, or left no report', () => {
    const failed = verdictOf(
      soundReport('r', 'bronze', { status: 'failed', error: 'AnalysisException: no such table' }),
    );
    expect(failed).toMatchObject({
      verdict: 'fail',
      proceed: false,
      reason: 'AnalysisException: no such table',
    });
    expect(verdictWithoutReport('gold', 'reports/r/gold.json')).toMatchObject({
      verdict: 'fail',
      proceed: false,
    });
  });

  it('fails for a check of the whole layer', () => {
    const checks = [{ ...failedWarning, severity: 'fail' as const }];
    const { verdict, proceed, failures } = verdictOf(soundReport('r', 'bronze', { checks }));
    expect({ verdict, proceed, table: failures[0]?.table }).toEqual({
      verdict: 'fail',
      proceed: true,
      table: '(bronze)',
    });
  });

  it('fails for offsets that have been missing for an hour, not for younger gaps', () => {
    const finished_at = '2026-01-01T12:00:00.000Z';
    const gapSince = (since: string) =>
      verdictOf(
        soundReport('r', 'bronze', {
          finished_at,
          partitions: [
            {
              topic: 'cdc.public.orders',
              partition: 0,
              frontier: '402',
              highest: '500',
              gaps: [{ from: '403', to: '410', since }],
            },
          ],
        }),
      );
    expect(gapSince('2026-01-01T11:00:01.000Z').verdict).toBe('pass');
    expect(gapSince('2026-01-01T11:00:00.000Z')).toMatchObject({
      verdict: 'fail',
      proceed: true,
      failures: [{ table: 'cdc.public.orders/0', check: 'landing_gap', value: '403..410' }],
    });
  });

  it('carries at most 50 failures, and tells how many there are', () => {
    const tables = Array.from({ length: 80 }, (_, n) => heldTable(`public.t${n}`));
    const { failures, reason } = verdictOf(soundReport('r', 'silver', { tables }));
    expect(failures).toHaveLength(50);
    expect(reason).toContain('80 failures in silver');
  });
});

describe('a report', () => {
  it('is read as it was written', () => {
    const report = soundReport('r', 'silver');
    expect(parseReport(JSON.stringify(report))).toEqual(report);
  });

  it.each([
    ['{"report": 2}', /version 2, not 1/],
    ['{"report": 1, "run_id": "r"}', /lacks layer, status, tables/],
    ['not JSON', /JSON/],
  ])('is refused when it is none: %s', (text, told) => {
    expect(() => parseReport(text)).toThrow(told);
  });
});
