import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { parse } from 'yaml';
import { type Packaged, packageAll, VARIANTS } from './packages.ts';
import { planted } from './planted.ts';
import { RULES } from './rules.ts';
import { slots } from './slots.ts';
import { type Finding, ofType, type Template } from './template.ts';
import { type CheckovReport, cfnLint, checkov, leftOut } from './tools.ts';

// Linting takes seconds a template, on a busy machine tens of them.
jest.setTimeout(1_500_000);

/** Checkov is slow and looks at kinds of resources; these two have all of them. */
const CHECKOV_VARIANTS = ['dev', 'prod'];

const scratch = mkdtempSync(join(tmpdir(), 'cdc-aws-'));
const clean = () => rmSync(scratch, { recursive: true, force: true });
// Before any test is named, so that a stage that can't be packaged is one failure, not one a rule.
const packaged = await packageAll(VARIANTS, scratch).catch((error) => {
  clean();
  throw error;
});

afterAll(clean);

function variant(name: string): Packaged {
  const found = packaged[VARIANTS.findIndex((one) => one.name === name)];
  if (!found) throw new Error(`No variant is called ${name}`);
  return found;
}

/** Findings as lines, so that a failing test reads like a linter's output. */
function lines(findings: readonly Finding[]): string[] {
  return findings.map(({ rule, where, what, remedy }) => `${where}: ${what} [${rule}] -> ${remedy}`);
}

describe.each(VARIANTS.map(({ name }) => name))('%s', (name) => {
  it.each(RULES.map((rule) => rule.name))('%s finds nothing', (ruleName) => {
    const rule = RULES.find(({ name: own }) => own === ruleName);
    expect(lines(rule?.check(variant(name).template) ?? [])).toEqual([]);
  });
});

describe('of the tools', () => {
  const runs = new Map<string, Promise<unknown>>();

  // Two at once, one a core; what one of them throws is the failure of the test that waits for it.
  beforeAll(() => {
    const inSlot = slots(2);
    const begin = (name: string, run: () => Promise<unknown>) => {
      const result = inSlot(run);
      result.catch(() => undefined);
      runs.set(name, result);
    };
    for (const { name } of VARIANTS) begin(`cfn-lint ${name}`, () => cfnLint(variant(name).file));
    for (const name of CHECKOV_VARIANTS) begin(`checkov ${name}`, () => checkov(variant(name).file));
  });

  it.each(VARIANTS.map(({ name }) => name))('cfn-lint finds nothing in %s', async (name) => {
    expect(lines((await runs.get(`cfn-lint ${name}`)) as Finding[])).toEqual([]);
  });

  it.each(CHECKOV_VARIANTS)('checkov finds nothing in %s, and every suppression says why', async (name) => {
    const { findings, suppressed, passed } = (await runs.get(`checkov ${name}`)) as CheckovReport;
    expect(lines(findings)).toEqual([]);
    expect(suppressed).not.toEqual([]);
    expect(suppressed.filter(({ reason }) => reason.length < 20)).toEqual([]);
    expect(passed).toBeGreaterThan(100);
  });
});

it('checkov.yml gives a reason above each check that it leaves out', () => {
  expect(leftOut()).not.toEqual([]);
  expect(leftOut().filter(({ reason }) => reason.length < 20)).toEqual([]);
});

it('the state machines are those of statemachines/, with no null lost on the way', () => {
  const { source, template } = variant('dev');
  const folder = join(source, 'statemachines');
  const files = readdirSync(folder).map((file) => parse(readFileSync(join(folder, file), 'utf8')));
  const machines = ofType(template, 'AWS::StepFunctions::StateMachine');
  const definitions = machines.map(([, { Definition: definition }]) => definition);
  expect(definitions).toHaveLength(files.length);
  expect(definitions).toEqual(expect.arrayContaining(files));
});

describe('a planted mistake', () => {
  it('exists for every rule', () => {
    const without = RULES.filter(({ name }) => !planted.some(({ rule }) => rule === name));
    expect(without.map(({ name }) => name)).toEqual([]);
  });

  it.each(planted.map((one) => [one.rule, one.mistake, one] as const))(
    '%s catches %s',
    (ruleName, _, one) => {
      const text = readFileSync(variant(one.variant ?? 'dev').file, 'utf8');
      const template = JSON.parse(text) as Template;
      const where = one.plant(template);
      expect(JSON.stringify(template)).not.toEqual(JSON.stringify(JSON.parse(text)));
      const found = RULES.find(({ name }) => name === ruleName)?.check(template) ?? [];
      expect(found.map((finding) => finding.where).filter((place) => place.startsWith(where))).not.toEqual(
        [],
      );
      expect(found.every(({ what, remedy }) => what !== '' && remedy !== '')).toBe(true);
    },
  );
});
