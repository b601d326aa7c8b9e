import { describe, expect, it } from '@jest/globals';
import type { SlotRow } from '../../../../functions/cdc/source-queries.ts';
import { connectWarnings, slotWarnings } from '../../../../functions/preflight/warnings.ts';

const slot: SlotRow = {
  slot_name: 'cdc_demo_dev',
  plugin: 'pgoutput',
  database: 'shop',
  active: true,
  active_pid: 1,
  wal_status: 'reserved',
  confirmed_lsn: '100',
  lag_bytes: '1048576',
  retained_bytes: '3145728',
  safe_wal_bytes: null,
};
const running = { connector: { state: 'RUNNING' }, tasks: [{ id: 0, state: 'RUNNING' }] };

describe('the connector', () => {
  it('that runs is no warning', () => {
    expect(connectWarnings({ cluster: 'abc', status: running }, 'c')).toEqual([]);
  });

  it('is warned of when Connect is silent, doesn’t know it, or it stands still', () => {
    const codes = [
      connectWarnings({ unreachable: 'connect ECONNREFUSED' }, 'c'),
      connectWarnings({ cluster: 'abc', status: null }, 'c'),
      connectWarnings({ cluster: 'abc', status: { ...running, connector: { state: 'PAUSED' } } }, 'c'),
    ].map(([warning]) => warning?.code);
    expect(codes).toEqual(['connect-unreachable', 'connector-missing', 'connector-paused']);
  });

  it('with a failed task is told with the first line of its trace', () => {
    const tasks = [{ id: 0, state: 'FAILED', trace: 'org.ConnectException: slot is active\n\tat Task' }];
    expect(connectWarnings({ cluster: 'abc', status: { ...running, tasks } }, 'c')).toEqual([
      {
        code: 'connector-failed',
        message:
          'Task 0 of c is FAILED: org.ConnectException: slot is active. Nothing is captured until it runs again.',
      },
    ]);
  });
});

describe('the replication slot', () => {
  const codesOf = (row: SlotRow | null, budget = 1_048_576n) =>
    slotWarnings({ slot: row }, 'cdc_demo_dev', budget).map(({ code }) => code);

  it('within its budget is no warning, a byte above it is', () => {
    expect(codesOf(slot)).toEqual([]);
    expect(codesOf({ ...slot, lag_bytes: '1048577' })).toEqual(['slot-lag']);
  });

  it('is warned of when it is missing, lost, or the source is silent', () => {
    expect(codesOf(null)).toEqual(['slot-missing']);
    expect(codesOf({ ...slot, wal_status: 'lost', lag_bytes: null })).toEqual(['slot-lost']);
    expect(slotWarnings({ unreachable: 'timeout' }, 's', 1n).map(({ code }) => code)).toEqual([
      'source-unreachable',
    ]);
  });
});
