import { describe, expect, it } from '@jest/globals';
import { decide, type Findings } from '../../../../functions/preflight/decide.ts';

const source = { system_identifier: '1', timeline: 1, lsn: '10', cluster: 'abc' };
const warning = { code: 'connector-failed', message: 'Task 0 is FAILED.' };
const findings: Findings = {
  place: { project: 'cdc_demo', stage: 'dev' },
  epoch: 1,
  last: undefined,
  source,
  news: { kind: 'landed', reason: 'landing/x has landed' },
  warnings: [],
  forced: false,
};

describe('preflight', () => {
  it('goes when something has landed or was left unfinished, or when it is asked to', () => {
    expect(decide(findings).decision).toMatchObject({
      go: true,
      refuse: null,
      reason: 'landing/x has landed',
    });
    const nothing = { ...findings, news: { kind: 'nothing' as const, reason: 'nothing has landed' } };
    expect(decide(nothing).decision).toMatchObject({ go: false, reason: 'nothing has landed' });
    expect(decide({ ...nothing, forced: true }).decision).toMatchObject({
      go: true,
      reason: 'the run was asked for',
    });
    const unfinished = {
      ...findings,
      news: { kind: 'unfinished' as const, reason: 'run 1 ended before gold' },
    };
    expect(decide(unfinished).decision.go).toBe(true);
  });

  it('refuses a changed source even when forced, and goes on refusing it', () => {
    const first = decide(findings).memory;
    const changed = { ...findings, last: first, source: { ...source, cluster: 'xyz' }, forced: true };
    const refused = decide(changed);
    expect(refused.decision).toMatchObject({ go: false, alert: null });
    expect(refused.decision.refuse).toContain('Kafka is another cluster');
    expect(decide({ ...changed, last: refused.memory }).decision.refuse).not.toBeNull();
    expect(decide({ ...changed, last: refused.memory, epoch: 2 }).decision).toMatchObject({
      go: true,
      refuse: null,
    });
  });

  it('tells of a warning once, until it has gone and come again', () => {
    const warned = { ...findings, warnings: [warning] };
    const first = decide(warned);
    expect(first.decision.alert?.message).toContain('- connector-failed: Task 0 is FAILED.');
    const second = decide({ ...warned, last: first.memory });
    expect(second.decision).toMatchObject({ alert: null, warnings: [warning], go: true });
    const gone = decide({ ...findings, last: second.memory });
    expect(decide({ ...warned, last: gone.memory }).decision.alert).not.toBeNull();
  });

  it('tells of a new warning beside an old one', () => {
    const first = decide({ ...findings, warnings: [warning] });
    const more = { code: 'slot-lag', message: 'behind' };
    const { decision } = decide({ ...findings, last: first.memory, warnings: [warning, more] });
    expect(decision.alert?.message).toContain('slot-lag');
  });
});
