import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
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
