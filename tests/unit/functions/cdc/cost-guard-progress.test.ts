import { describe, expect, it } from '@jest/globals';
import { type CostGuardState, progressLines } from '../../../../functions/cdc/cost-guard-progress.ts';

const begun: CostGuardState = { lock: { taken: true }, settings: { database: 'own' } };

describe('how far a cost guard came', () => {
  it('is nothing to tell of one that never had the lock', () => {
    expect(progressLines({ action: 'pause', settings: { database: 'own' } })).toEqual([]);
  });

  it('is told of a pause by what it has reached', () => {
    const state: CostGuardState = { ...begun, action: 'pause', schedules: [], rules: [], pipes: ['a'] };
    expect(progressLines(state)).toEqual([
      'Asleep: schedules, pipes.',
      'Awake, or asleep in part: Debezium, database.',
      expect.stringContaining('Alarms have their actions'),
    ]);
    const [asleep, awake] = progressLines({ ...state, running: { NextToken: 'more' } });
    expect(asleep).toBe('Asleep: schedules.');
    expect(awake).toBe('Awake, or asleep in part: pipes, Debezium, database.');
  });

  it('leaves out a database that is not ours', () => {
    const existing: CostGuardState = { ...begun, action: 'pause', settings: { database: 'existing' } };
    expect(progressLines(existing)[1]).toBe('Awake, or asleep in part: schedules, pipes, Debezium.');
  });

  it('warns of alarms that stayed silent', () => {
    const state: CostGuardState = { ...begun, action: 'pause', watch_error: { Error: 'States.Timeout' } };
    expect(progressLines(state).at(-1)).toContain('Alarms may be silent');
  });

  it('is told of a resume, where what was never put to sleep is no open end', () => {
    const memory = { Item: { pipes: { SS: ['a'] } } };
    const state: CostGuardState = { ...begun, action: 'resume', memory, database: { status: 'available' } };
    expect(progressLines(state)).toEqual([
      "Awake: alarms' actions, database.",
      'Asleep, or awake in part: Debezium, pipes, schedules, what looks after the path.',
      'Resume again: it does the rest.',
    ]);
    const up: CostGuardState = { ...state, connector: { state: 'running' } };
    expect(progressLines(up)[1]).toBe('Asleep, or awake in part: pipes.');
  });
});
