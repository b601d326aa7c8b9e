import { describe, expect, it } from '@jest/globals';
import { expressionProblem } from './schedules.ts';

describe('a schedule expression', () => {
  it.each([
    'rate(1 hour)',
    'rate(15 minutes)',
    'rate(7 days)',
    'cron(30 3 * * ? *)',
    'cron(0/15 8-18 ? * MON-FRI *)',
    'cron(0 18 L * ? *)',
    'cron(0 9 ? * 2#1 2026-2030)',
    'cron(0 10 15W * ? *)',
  ])('%s is sound', (expression) => {
    expect(expressionProblem(expression, false)).toBeUndefined();
  });

  it.each([
    ['', 'neither'],
    ['rate(1.5 hours)', 'a rate is'],
    ['rate(1 minutes)', 'write 1 minute'],
    ['rate(2 hour)', 'write 2 hours'],
    ['cron(0 3 * * ?)', '6 fields'],
    ['cron(0 3 ? * ? *)', 'one of day of month and day of week'],
    ['cron(0 24 * * ? *)', '24 is no hours'],
    ['cron(0 3 * * MON *)', 'one of day of month and day of week'],
    ['cron(*/0 3 * * ? *)', 'is no minutes'],
  ])('%s is not: %s', (expression, problem) => {
    expect(expressionProblem(expression, false)).toContain(problem);
  });

  it('may name one point in time for EventBridge Scheduler, not for a rule', () => {
    expect(expressionProblem('at(2026-11-23T12:00:00)', true)).toBeUndefined();
    expect(expressionProblem('at(2026-11-23)', true)).toBeDefined();
    expect(expressionProblem('at(2026-11-23T12:00:00)', false)).toBeDefined();
  });
});
