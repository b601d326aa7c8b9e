import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { printStatesOnce, runVerdict } from '../../../../local/cli/machine.ts';
import type { RunResult } from '../../../../local/execution.ts';

function verdict(result: Partial<RunResult>): string {
  const run = { executionArn: 'a', name: 'cli-1', status: 'SUCCEEDED', steps: [], durationMs: 1500 } as const;
  return stripVTControlCharacters(runVerdict({ ...run, ...result }));
}

describe('the verdict on an execution', () => {
  it.each([
    [{}, 'Succeeded cli-1, 1.5 s'],
    [{ output: { bronze: 'sound' } }, 'Succeeded cli-1, 1.5 s'],
    [{ output: { nothing_new: 'nothing has landed' } }, 'Succeeded cli-1, 1.5 s: nothing has landed'],
    [{ output: { skipped: 'another run is in progress' } }, 'Skipped: another run is in progress'],
    [
      { status: 'FAILED' as const, error: 'GateFailed', cause: 'orders is held' },
      'Failed cli-1, 1.5 s\nGateFailed: orders is held',
    ],
    [{ status: 'TIMED_OUT' as const }, 'TIMED_OUT cli-1, 1.5 s\n'],
  ])('of %j is one line', (result, line) => {
    expect(verdict(result)).toBe(line);
  });
});

describe('the states of an execution', () => {
  it('are printed once each, when they have been left, and choices never', () => {
    const at = (ms: number) => new Date(ms);
    const lock = { state: 'AcquireLock', type: 'Task', enteredAt: at(0), exitedAt: at(20) };
    const choice = { state: 'LockTaken', type: 'Choice', enteredAt: at(20), exitedAt: at(20) };
    const bronze = { state: 'Bronze', type: 'Task', enteredAt: at(20) };
    const lines: string[] = [];
    const print = printStatesOnce((line) => lines.push(stripVTControlCharacters(line)));
    print([lock, choice, bronze]);
    print([lock, choice, { ...bronze, exitedAt: at(3020) }]);
    expect(lines).toEqual(['  ✔ AcquireLock  20 ms', '  ✔ Bronze       3.0 s']);
  });
});
