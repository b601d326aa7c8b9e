/** How often a schedule of EventBridge Scheduler comes round. */
import { UsageError } from '../usage-error.ts';

const MINUTES: Readonly<Record<string, number>> = { minute: 1, hour: 60, day: 1440 };
const MINUTES_A_DAY = 1440;
const WEEKDAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/**
 * Times a day of `rate(15 minutes)` or of a cron expression whose day of month, month and year are free.
 * @throws UsageError for any other expression
 */
export function timesADay(expression: string): number {
  const rate = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression);
  if (rate) return MINUTES_A_DAY / (Number(rate[1]) * (MINUTES[rate[2] as string] as number));
  const { minutes, hours, weekdays } = cronTimes(expression);
  return (minutes.length * hours.length * weekdays.length) / 7;
}

/** Minutes since Sunday 00:00 at which a cron expression comes round. */
export function minutesOfWeek(expression: string): number[] {
  const { minutes, hours, weekdays } = cronTimes(expression);
  return weekdays
    .flatMap((day) =>
      hours.flatMap((hour) => minutes.map((minute) => day * MINUTES_A_DAY + hour * 60 + minute)),
    )
    .sort((a, b) => a - b);
}

/** Hours of a week between each stop and the start that follows it. */
export function hoursStopped(stops: readonly number[], starts: readonly number[]): number {
  const week = 7 * MINUTES_A_DAY;
  const lengths = stops.map((stop) =>
    Math.min(...starts.map((start) => (start - stop + week) % week || week)),
  );
  return lengths.reduce((sum, length) => sum + length, 0) / 60;
}

function cronTimes(expression: string): { minutes: number[]; hours: number[]; weekdays: number[] } {
  const fields = /^cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)$/.exec(expression)?.slice(1) as
    | [string, string, string, string, string, string]
    | undefined;
  if (!fields || !/^[?*]$/.test(fields[2]) || fields[3] !== '*' || fields[5] !== '*') {
    throw new UsageError(`The schedule ${expression} is neither rate(...) nor a cron of every week.`);
  }
  const [minute, hour, , , weekday] = fields;
  return {
    minutes: valuesOf(minute, 0, 59),
    hours: valuesOf(hour, 0, 23),
    weekdays:
      weekday === '?' ? valuesOf('*', 0, 6) : valuesOf(namedDays(weekday), 1, 7).map((day) => day - 1),
  };
}

/** MON-FRI -> 2-6: AWS counts days from Sunday as 1. */
function namedDays(field: string): string {
  return field.replaceAll(/[A-Z]{3}/g, (name) => String(WEEKDAYS.indexOf(name) + 1));
}

/** The values of a cron field: every one, lists, ranges and steps. */
function valuesOf(field: string, from: number, to: number): number[] {
  return field.split(',').flatMap((part) => {
    const [, range, step] = /^(\*|\d+(?:-\d+)?)(?:\/(\d+))?$/.exec(part) ?? [];
    if (range === undefined) throw new UsageError(`A cron field ${field} can't be counted.`);
    const [first, last = step ? to : first] = range === '*' ? [from, to] : range.split('-').map(Number);
    const every = Number(step ?? 1);
    const count = Math.floor(((last as number) - (first as number)) / every) + 1;
    return Array.from({ length: count }, (_, i) => (first as number) + i * every);
  });
}
