import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { PROJECT_ROOT } from '../../../local/state.ts';
import { callsOf } from './calls.ts';

type Role = {
  Resources: { PlanPolicy: { Properties: { PolicyDocument: { Statement: { Action: string[] }[] } } } };
};

/** What `cdc changes` does on a stage; everything else of it is common to all verbs. */
const FILES = ['local/stage/change-set.ts', 'local/stage/stack.ts'];

it("GitHub's role for the plan may do what cdc changes calls", () => {
  const text = readFileSync(join(PROJECT_ROOT, '.github', 'aws', 'deploy-role.yml'), 'utf8');
  // CloudFormation's tags stay unresolved: actions are plain text.
  const { Resources } = parse(text, { logLevel: 'error' }) as Role;
  const allowed = Resources.PlanPolicy.Properties.PolicyDocument.Statement.flatMap(({ Action }) => Action);
  const calls = FILES.flatMap((file) => callsOf(PROJECT_ROOT, file));
  expect(calls.map(({ operation }) => operation)).toContain('cloudformation:CreateChangeSet');
  expect(calls.filter(({ operation }) => !allowed.includes(operation))).toEqual([]);
});
