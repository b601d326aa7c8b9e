import type { Command } from 'commander';
import { type Estimate, estimate } from '../cost/estimate.ts';
import { levers } from '../cost/levers.ts';
import { type PriceTable, readPrices } from '../cost/price-table.ts';
import { besideReference } from '../cost/reference.ts';
import { packagedTemplate, readTemplate, type Template } from '../cost/template.ts';
import type { Workload } from '../cost/traffic.ts';
import { stageAddress } from '../stage/place.ts';
import { UsageError } from '../usage-error.ts';
import { wholeNumberOf } from './number.ts';
import { paint, table } from './output.ts';

type Options = {
  stage: string;
  template?: string;
  json?: boolean;
  changesPerDay: string;
  rowBytes: string;
  changesPerTransaction: string;
  jobMinutes: string;
  maintenanceMinutes: string;
  athenaGb: string;
};

/** A number from 0. @throws UsageError that names the option */
function amount(text: string, option: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value;
  throw new UsageError(`${option} must be a number from 0, not ${text}.`);
}

function workloadOf(options: Options): Workload {
  return {
    changesPerDay: wholeNumberOf(options.changesPerDay, '--changes-per-day'),
    rowBytes: wholeNumberOf(options.rowBytes, '--row-bytes'),
    changesPerTransaction: wholeNumberOf(options.changesPerTransaction, '--changes-per-transaction'),
    jobMinutes: amount(options.jobMinutes, '--job-minutes'),
    maintenanceMinutes: amount(options.maintenanceMinutes, '--maintenance-minutes'),
    athenaGigabytes: amount(options.athenaGb, '--athena-gb'),
  };
}

/** 66.58, or 0.0012 where cents say nothing. */
function usd(value: number | null): string {
  if (value === null) return 'no price';
  if (value === 0) return '0.00';
  return Math.abs(value) < 0.005 ? value.toPrecision(2) : value.toFixed(2);
}

/** 0.0456, or 0.40 a million where a unit is next to nothing. */
function unitPrice(value: number): string {
  return value > 0 && value < 0.001 ? `${(value * 1e6).toFixed(2)} a million` : String(value);
}

function quantity(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));
}

function linesTable({ lines }: Estimate, prices: PriceTable): string {
  return table({
    columns: ['service', 'what', 'paid', 'quantity', 'unit', 'USD a unit', 'USD a month'],
    rows: [...lines]
      .sort((a, b) => b.usd - a.usd)
      .map((line) => [
        line.service,
        line.what,
        line.kind,
        quantity(line.quantity),
        line.unit,
        unitPrice(prices[line.price]?.usd ?? 0),
        usd(line.usd),
      ]),
  });
}

function totals({ fixed, schedule, usage, total, perMillionChanges, runs }: Estimate): string {
  return table({
    columns: ['', 'USD a month'],
    rows: [
      ['fixed, whether anything changes or not', usd(fixed)],
      [`with the schedule, ${quantity(runs)} runs that find something`, usd(schedule)],
      [`with the changes, ${usd(perMillionChanges)} a million`, usd(usage)],
      ['total of what is priced', usd(total)],
    ],
  });
}

function unpricedTable({ unpriced }: Estimate): string {
  return table({
    columns: ['service', 'what', 'quantity', 'unit'],
    rows: unpriced.map((item) => [item.service, item.what, quantity(item.quantity), item.unit]),
  });
}

/** What an estimate was made of, in a sentence each. */
function basis(stage: string, workload: Workload, prices: PriceTable, hoursAsleep: number): string {
  const dates = [...new Set(Object.values(prices).map(({ date }) => date))].join(', ');
  const regions = [...new Set(Object.values(prices).map(({ region }) => region))].join(', ');
  const secondary = Object.values(prices).every(({ source }) => source === 'secondary');
  return [
    `Stage ${stage}: ${quantity(workload.changesPerDay)} changes a day of ${quantity(workload.rowBytes)} bytes, ${workload.changesPerTransaction} in a transaction.`,
    `Taken as given: a job of a layer is billed for ${workload.jobMinutes} min, maintenance for ${workload.maintenanceMinutes} min a day, queries read ${workload.athenaGigabytes} GB a month; a NAT takes each Kafka record once, uncompressed, which is the most.`,
    hoursAsleep > 0
      ? `The cost-guard lets it sleep for ${hoursAsleep} of 168 hours a week.`
      : 'No cost-guard: it never sleeps.',
    `Prices: local/cost/prices.yml, ${regions}, ${dates}, on demand${secondary ? ', from secondary sources: check them before you rely on this' : ''}.`,
  ].join('\n');
}

/** An estimate for people, as docs/cost.md shows it. */
export function describeCost(
  stage: string,
  workload: Workload,
  template: Template,
  prices: PriceTable,
): string {
  const month = estimate(template, workload, prices);
  const sections = [
    basis(stage, workload, prices, month.hoursAsleep),
    linesTable(month, prices),
    totals(month),
    paint('bold', 'Used, too, but not priced: the table has no price for it'),
    unpricedTable(month),
    month.unknownTypes.length > 0
      ? paint('red', `In the template, but unknown to this estimate: ${month.unknownTypes.join(', ')}`)
      : '',
    paint('bold', "Beside the reference platform's table (USD a month)"),
    table({
      columns: ['part', 'there', 'here', 'why'],
      rows: besideReference(month).map((row) => [row.part, usd(row.reference), usd(row.here), row.why]),
    }),
    paint('bold', 'Levers'),
    table({
      columns: ['lever', 'choice', 'saves USD a month', 'note'],
      rows: levers(template, workload, prices).map((l) => [l.lever, l.choice, usd(l.saves), l.note]),
    }),
  ];
  return sections.filter(Boolean).join('\n\n');
}

export function registerCost(program: Command): void {
  program
    .command('cost')
    .description("estimate a stage's month in USD from its template and a price table, offline")
    .option('--stage <name>', 'the stage whose template is packaged', 'dev')
    .option('--template <file>', 'a packaged template instead')
    .option('--changes-per-day <n>', 'rows inserted, updated or deleted a day', '100000')
    .option('--row-bytes <bytes>', 'size of a row as JSON', '500')
    .option('--changes-per-transaction <n>', 'changes in one transaction of the source', '5')
    .option('--job-minutes <minutes>', 'what a run of one layer is billed for', '2')
    .option('--maintenance-minutes <minutes>', 'what the daily maintenance is billed for', '15')
    .option('--athena-gb <gigabytes>', "what people's queries read in a month", '100')
    .option('--json', 'print the estimate as JSON')
    .action(async (options: Options) => {
      const workload = workloadOf(options);
      const { stage } = stageAddress(options.stage, undefined);
      const template = options.template ? readTemplate(options.template) : await packagedTemplate(stage);
      const prices = readPrices();
      if (!options.json) return console.log(describeCost(stage, workload, template, prices));
      const month = estimate(template, workload, prices);
      const report = { stage, workload, ...month, levers: levers(template, workload, prices) };
      console.log(JSON.stringify(report, null, 2));
    });
}
