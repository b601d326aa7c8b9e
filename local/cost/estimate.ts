/** A stage's month in USD, line by line, from its template, a workload and a price table. Pure arithmetic. */
import { type Item, itemsOf, pipesOf, scheduledRuns, unknownTypes } from './items.ts';
import type { PriceTable } from './price-table.ts';
import { hoursStopped, minutesOfWeek } from './schedule.ts';
import { property, type Template } from './template.ts';
import { DAYS, type TopicTraffic, trafficOf, type Workload } from './traffic.ts';

export type Line = Item & { usd: number };

export type Estimate = {
  lines: Line[];
  unpriced: Item[];
  /** Types of the template that this program doesn't know. */
  unknownTypes: string[];
  /** USD a month. */
  fixed: number;
  schedule: number;
  usage: number;
  total: number;
  /** USD that a million changes cost beside what is fixed and scheduled. */
  perMillionChanges: number;
  /** Hours of a week that cost-guard pauses what it can; 0 without its schedules. */
  hoursAsleep: number;
  /** Runs of the medallion in a month that find something to do. */
  runs: number;
  traffic: TopicTraffic[];
};

const WEEK_HOURS = 168;

/** Estimates a month. */
export function estimate(template: Template, workload: Workload, prices: PriceTable): Estimate {
  const traffic = trafficOf(workload, pipesOf(template));
  const hoursAsleep = asleep(template);
  const awake = 1 - hoursAsleep / WEEK_HOURS;
  // Schedules sleep, too.
  const runs = Math.min(scheduledRuns(template, 'MedallionSchedule') * awake, workload.changesPerDay) * DAYS;
  const context = { template, workload, traffic, runs, awake };
  const merged = together(itemsOf(context));
  const lines = merged.flatMap((item) => {
    const price = prices[item.price];
    return price ? [{ ...item, usd: item.quantity * price.usd }] : [];
  });
  const sum = (kind: Item['kind']) =>
    lines.filter((line) => line.kind === kind).reduce((usd, line) => usd + line.usd, 0);
  const [fixedUsd, schedule, usage] = [sum('fixed'), sum('schedule'), sum('usage')];
  const changes = workload.changesPerDay * DAYS;
  return {
    lines,
    unpriced: merged.filter(({ price }) => !prices[price]),
    unknownTypes: unknownTypes(template),
    fixed: fixedUsd,
    schedule,
    usage,
    total: fixedUsd + schedule + usage,
    perMillionChanges: (usage / changes) * 1e6,
    hoursAsleep,
    runs,
    traffic,
  };
}

/** Hours of a week between cost-guard's stop and start. */
function asleep(template: Template): number {
  const [stop, start] = ['CostGuardStopSchedule', 'CostGuardStartSchedule'].map((id) =>
    property(template.Resources[id]?.Properties, 'ScheduleExpression'),
  );
  if (typeof stop !== 'string' || typeof start !== 'string') return 0;
  return hoursStopped(minutesOfWeek(stop), minutesOfWeek(start));
}

/** Items of the same price as one. */
function together(items: readonly Item[]): Item[] {
  const groups = Map.groupBy(items, ({ price, what }) => `${price} ${what}`);
  return [...groups.values()].map((group) => ({
    ...(group[0] as Item),
    quantity: group.reduce((sum, { quantity }) => sum + quantity, 0),
  }));
}
