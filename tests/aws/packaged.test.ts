import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { parse } from 'yaml';
import { substitutionsIn } from '../../local/aws/state-machine.ts';
import { PROJECT_ROOT } from '../../local/state.ts';
import { problemsOf } from '../statemachines/asl-rules.ts';
import { type Packaged, packageAll, VARIANTS } from './packages.ts';
import { planted } from './planted.ts';
import { RULES } from './rules.ts';
import { type Finding, ofType, type Template } from './template.ts';
import { cfnLint, checkov, leftOut } from './tools.ts';

// Linting takes seconds a template, on a busy machine tens of them.
jest.setTimeout(300_000);

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
  it('cfn-lint finds nothing', async () => {
    expect(lines(await cfnLint(variant(name).file))).toEqual([]);
  });

  it.each(RULES.map((rule) => rule.name))('%s finds nothing', (ruleName) => {
    const rule = RULES.find(({ name: own }) => own === ruleName);
    expect(lines(rule?.check(variant(name).template) ?? [])).toEqual([]);
  });
});

describe.each(CHECKOV_VARIANTS)('checkov on %s', (name) => {
  it('finds nothing, and every suppression says why', async () => {
    const { findings, suppressed, passed } = await checkov(variant(name).file);
    expect(lines(findings)).toEqual([]);
    expect(suppressed.filter(({ reason }) => reason.length < 20)).toEqual([]);
    expect(passed).toBeGreaterThan(100);
  });
});

it('checkov.yml gives a reason above each check that it leaves out', () => {
  expect(leftOut()).not.toEqual([]);
  expect(leftOut().filter(({ reason }) => reason.length < 20)).toEqual([]);
});

const MACHINES = join(PROJECT_ROOT, 'statemachines');

describe('state machines in the template', () => {
  const machines = () => ofType(variant('dev').template, 'AWS::StepFunctions::StateMachine');

  it('are those of statemachines/, not a null lost on the way', () => {
    const files = readdirSync(MACHINES).map((file) => parse(readFileSync(join(MACHINES, file), 'utf8')));
    const packagedOnes = machines().map(([, { Definition: definition }]) => definition);
    expect(packagedOnes).toHaveLength(files.length);
    expect(packagedOnes).toEqual(expect.arrayContaining(files));
  });

  it('are given every substitution that they use, and none besides', () => {
    for (const [id, machine] of machines()) {
      const used = substitutionsIn(JSON.stringify(machine['Definition']));
      expect([id, used]).toEqual([id, Object.keys(machine['DefinitionSubstitutions'] ?? {}).sort()]);
    }
  });

  it('have no problem in Amazon States Language', () => {
    expect(machines().flatMap(([, { Definition: definition }]) => problemsOf(definition))).toEqual([]);
  });
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
