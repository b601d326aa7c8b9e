import { describe, expect, it } from '@jest/globals';
import type { SlotRow } from '../../../../functions/cdc/source-queries.ts';
import { assess } from '../../../../functions/slot-monitor/assess.ts';

const MIB = 1024n ** 2n;
const budget = 1024n * MIB;

function slot(change: Partial<SlotRow> = {}): SlotRow {
  return {
    slot_name: 'cdc_demo_dev',
    plugin: 'pgoutput',
    database: 'shop',
    active: true,
    active_pid: 7,
    wal_status: 'reserved',
    confirmed_lsn: '26617096',
    lag_bytes: '0',
    retained_bytes: String(10n * MIB),
    safe_wal_bytes: null,
    ...change,
  };
}

describe('what the slot holds back', () => {
  it('is measured against its budget', () => {
    expect(assess('cdc_demo_dev', { slot: slot(), heartbeatAge: 12.5 }, budget)).toEqual({
      measures: { SlotLagBytes: 10_485_760, SlotBudgetUsed: 0.97, SlotActive: 1, HeartbeatAge: 12.5 },
      problem: null,
    });
  });

  it.each([
    [true, 'a long transaction is open in the source'],
    [false, 'No connector streams from it'],
  ])('is a problem from half of it on, with what to do (streaming: %s)', (active, remedy) => {
    const half = slot({ active, retained_bytes: String(512n * MIB) });
    const { measures, problem } = assess('cdc_demo_dev', { slot: half, heartbeatAge: null }, budget);
    expect(measures).toEqual({ SlotLagBytes: 536_870_912, SlotBudgetUsed: 50, SlotActive: active ? 1 : 0 });
    expect(problem).toContain('cdc_demo_dev holds back 512 MiB of WAL, 50 % of the 1024 MiB');
    expect(problem).toContain(remedy);
    const less = slot({ retained_bytes: String(511n * MIB) });
    expect(assess('cdc_demo_dev', { slot: less, heartbeatAge: null }, budget).problem).toBeNull();
  });

  it('is all of the budget when the slot is lost', () => {
    const lost = slot({ wal_status: 'lost', active: false, retained_bytes: null });
    const { measures, problem } = assess('cdc_demo_dev', { slot: lost, heartbeatAge: 900 }, budget);
    expect(measures).toEqual({ SlotActive: 0, SlotBudgetUsed: 100, HeartbeatAge: 900 });
    expect(problem).toContain('begin anew in a higher epoch');
  });

  it('is unknown without a slot', () => {
    const { measures, problem } = assess('cdc_demo_dev', { slot: null, heartbeatAge: null }, budget);
    expect(measures).toEqual({ SlotActive: 0 });
    expect(problem).toContain('has no replication slot cdc_demo_dev');
  });
});
