import type { HistoryEvent } from '@aws-sdk/client-sfn';
import { describe, expect, it } from '@jest/globals';
import { executionName, stepsOf } from '../../../local/execution.ts';

function entered(name: string, at: number): HistoryEvent {
  return { id: at, type: 'TaskStateEntered', timestamp: new Date(at), stateEnteredEventDetails: { name } };
}

function exited(name: string, at: number): HistoryEvent {
  return { id: at, type: 'TaskStateExited', timestamp: new Date(at), stateExitedEventDetails: { name } };
}

describe('the steps of a history', () => {
  it('have a state for each entry, open until it is left', () => {
    const steps = stepsOf([entered('Bronze', 1), exited('Bronze', 5), entered('Silver', 6)]);
    expect(steps).toEqual([
      { state: 'Bronze', type: 'Task', enteredAt: new Date(1), exitedAt: new Date(5) },
      { state: 'Silver', type: 'Task', enteredAt: new Date(6) },
    ]);
  });

  it('tell two visits of one state apart', () => {
    const steps = stepsOf([entered('Wait', 1), exited('Wait', 2), entered('Wait', 3), exited('Wait', 9)]);
    expect(steps.map(({ exitedAt }) => exitedAt?.getTime())).toEqual([2, 9]);
  });
});

describe('the name of an execution', () => {
  it('sorts by time and holds only what Step Functions allows', () => {
    const name = executionName('loop', new Date('2026-01-02T03:04:05.678Z'));
    expect(name).toBe('loop-20260102T030405678Z');
    expect(name).toMatch(/^[\w-]{1,80}$/);
  });
});
