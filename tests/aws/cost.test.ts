import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { describeCost } from '../../local/cli/cost.ts';
import { type Estimate, estimate } from '../../local/cost/estimate.ts';
import { levers } from '../../local/cost/levers.ts';
import { readPrices } from '../../local/cost/price-table.ts';
import { readTemplate } from '../../local/cost/template.ts';
import { PROJECT_ROOT } from '../../local/state.ts';
import { packageAll, VARIANTS } from './packages.ts';

const WORKLOAD = {
  changesPerDay: 100_000,
  rowBytes: 500,
  changesPerTransaction: 5,
  jobMinutes: 2,
  maintenanceMinutes: 15,
  athenaGigabytes: 100,
};
/** Between them they have every type of resource that a stage may have. */
const CHECKED = VARIANTS.filter(({ name }) => /^(dev|prod|endpoints-.*)$/.test(name));
const PACKAGED_WITHIN_MS = 600_000;

const scratch = mkdtempSync(join(tmpdir(), 'cdc-cost-test-'));
const clean = () => rmSync(scratch, { recursive: true, force: true });
const packaged = await packageAll(CHECKED, scratch).catch((error) => {
  clean();
  throw error;
});

afterAll(clean);

describe.each(CHECKED.map(({ name }, i) => [name, packaged[i]?.file as string]))('%s', (_, file) => {
  const template = readTemplate(file);
  const month = estimate(template, WORKLOAD, readPrices());

  it('has no resource that is neither priced, nor listed, nor free', () => {
    expect(month.unknownTypes).toEqual([]);
  });

  it('has the parts that a stage is paid for by the hour, the run and the change', () => {
    const services = new Set(month.lines.map(({ service }) => service));
    for (const service of ['Amazon MSK', 'AWS Fargate', 'VPC endpoints', 'AWS Glue', 'EventBridge Pipes']) {
      expect(services).toContain(service);
    }
    expect(month.fixed).toBeGreaterThan(100);
    for (const item of [...month.lines, ...month.unpriced]) expect(item.quantity).toBeGreaterThan(0);
  });

  it('has its levers in numbers', () => {
    for (const { saves } of levers(template, WORKLOAD, readPrices())) {
      expect(saves === null || Number.isFinite(saves)).toBe(true);
    }
  });
});

/** What docs/cost.md shows: which stage, and with what it is asked for. */
const SHOWN = [
  { stage: 'dev', changesPerDay: 100_000, rowBytes: 500 },
  { stage: 'prod', changesPerDay: 5_000_000, rowBytes: 1_000 },
];
/** A number that is no part of a name: 1,168 or -20.87, not the 5 of t3.small or us-east-1. */
const NUMBER = /(?<![\w.,-])-?\d[\d,]*(?:\.\d+)?(?![\w])/g;
/** By how much a number in docs/cost.md may lag behind, or a dollar: a log group or a state more misleads nobody. */
const LAG = 0.05;
const DOLLAR = 1;

describe('docs/cost.md', () => {
  const docs = readFileSync(join(PROJECT_ROOT, 'docs', 'cost.md'), 'utf8');

  it.each(SHOWN)('shows what the command prints of $stage', ({ stage, ...asked }) => {
    const inDocs = new RegExp(`\`\`\`\n(Stage ${stage}:[^]*?)\n\`\`\``).exec(docs)?.[1] ?? '';
    const file = packaged[CHECKED.findIndex(({ name }) => name === stage)]?.file as string;
    const now = describeCost(stage, { ...WORKLOAD, ...asked }, readTemplate(file), readPrices());
    const [shown, printed] = [inDocs, now].map(linesOf) as [string[], string[]];
    expect(shown.map(wordsOf)).toEqual(printed.map(wordsOf));
    const [there, here] = [shown.flatMap(numbersOf), printed.flatMap(numbersOf)];
    const lagging = here.filter(
      (number, i) => Math.abs(number - (there[i] ?? 0)) > Math.max(Math.abs(number) * LAG, DOLLAR),
    );
    expect({ lagging, of: here.length }).toEqual({ lagging: [], of: there.length });
  });
});

/** In an order that no price changes, as it does that of the table. */
function linesOf(text: string): string[] {
  return text.split('\n').sort((a, b) => (wordsOf(a) < wordsOf(b) ? -1 : wordsOf(a) > wordsOf(b) ? 1 : 0));
}

/** A line without its numbers and without the widths that follow them. */
function wordsOf(line: string): string {
  return line.replaceAll(NUMBER, '#').replaceAll(/\s+/g, ' ').trim();
}

/** Its numbers but for how many things and states there are, which change more often than what they cost. */
function numbersOf(line: string): number[] {
  const counts = /\S+ +(each|transition)\b/g;
  return [...line.replaceAll(counts, '').matchAll(NUMBER)].map(([number]) =>
    Number(number.replaceAll(',', '')),
  );
}

describe('cdc cost', () => {
  it(
    'packages the stage itself and answers in JSON',
    async () => {
      const args = ['local/cli/main.ts', 'cost', '--stage', 'dev', '--changes-per-day', '1000', '--json'];
      const { stdout } = await execa(process.execPath, args, { cwd: PROJECT_ROOT });
      const month = JSON.parse(stdout) as Estimate & { stage: string };
      expect(month.stage).toBe('dev');
      expect(month.total).toBeCloseTo(month.lines.reduce((sum, { usd }) => sum + usd, 0));
    },
    PACKAGED_WITHIN_MS,
  );
});
