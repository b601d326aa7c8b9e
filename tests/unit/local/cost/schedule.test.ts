import { describe, expect, it } from '@jest/globals';
import { hoursStopped, minutesOfWeek, timesADay } from '../../../../local/cost/schedule.ts';

describe('a schedule', () => {
  it.each([
    ['rate(15 minutes)', 96],
    ['rate(1 hour)', 24],
    ['rate(2 days)', 0.5],
    ['cron(30 3 * * ? *)', 1],
    ['cron(0/15 * * * ? *)', 96],
    ['cron(0 7,19 * * ? *)', 2],
    ['cron(0 7 ? * MON-FRI *)', 5 / 7],
    ['cron(0 8-18/2 ? * 2,4 *)', 12 / 7],
  ])('%s comes %d times a day', (expression, times) => {
    expect(timesADay(expression)).toBeCloseTo(times);
  });

  it('is refused when it can not be counted', () => {
    expect(() => timesADay('cron(0 7 1 * ? *)')).toThrow('neither rate(...) nor a cron of every week');
    expect(() => timesADay('cron(0 L * * ? *)')).toThrow("can't be counted");
  });
});

describe('hours stopped in a week', () => {
  const stops = minutesOfWeek('cron(0 19 ? * MON-FRI *)');
  const starts = minutesOfWeek('cron(0 7 ? * MON-FRI *)');

  it('are the nights and the weekend, from Friday evening to Monday morning', () => {
    expect(hoursStopped(stops, starts)).toBe(4 * 12 + 60);
  });

  it('are the whole week when start and stop coincide once', () => {
    expect(hoursStopped([0], [0])).toBe(168);
  });
});
