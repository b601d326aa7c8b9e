import { describe, expect, it } from '@jest/globals';
import { type Notification, snapshotEnd } from '../../../../functions/events/snapshot-end.ts';

const told = (type: string, status: string | null = null, id = 's1'): Notification => ({
  id,
  type,
  status,
  rows: status === null ? null : '512',
});
const STARTED = told('STARTED');
const COMPLETED = told('COMPLETED');

describe('the end of an incremental snapshot', () => {
  it.each(['SUCCEEDED', 'EMPTY'])('is whole when the table was %s', (status) => {
    const notifications = [STARTED, told('IN_PROGRESS'), told('TABLE_SCAN_COMPLETED', status), COMPLETED];
    expect(snapshotEnd('s1', notifications).whole).toBe(true);
  });

  it.each(['SQL_EXCEPTION', 'NO_PRIMARY_KEY', 'UNKNOWN_SCHEMA', 'whatever comes', null])(
    'is not whole when it was %s, although Debezium calls it completed',
    (status) => {
      const end = snapshotEnd('s1', [STARTED, told('TABLE_SCAN_COMPLETED', status), COMPLETED]);
      expect(end).toEqual({ whole: false, reason: expect.stringContaining('gave it up') });
    },
  );

  it('is not whole when one of two overlapping signals failed, whose notifications have one id', () => {
    const scans = ['SQL_EXCEPTION', 'SUCCEEDED'].map((status) => told('TABLE_SCAN_COMPLETED', status));
    expect(snapshotEnd('s1', [STARTED, ...scans, COMPLETED]).whole).toBe(false);
    expect(snapshotEnd('s1', [STARTED, ...scans.reverse(), COMPLETED]).whole).toBe(false);
  });

  it('is not whole when somebody stopped it', () => {
    expect(snapshotEnd('s1', [STARTED, told('IN_PROGRESS'), COMPLETED, told('ABORTED', null, 's2')])).toEqual(
      {
        whole: false,
        reason: 'it was stopped before its end',
      },
    );
  });

  it('is not taken for whole when nothing is told of it', () => {
    const others = [told('TABLE_SCAN_COMPLETED', 'SUCCEEDED', 's2')];
    expect(snapshotEnd('s1', others)).toEqual({
      whole: false,
      reason: expect.stringContaining('told nothing'),
    });
  });
});
