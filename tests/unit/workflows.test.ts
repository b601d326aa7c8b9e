import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';

type Job = {
  uses?: string;
  needs?: string | string[];
  environment?: string;
  permissions?: Record<string, string>;
  steps?: { uses?: string; run?: string }[];
};
type Workflow = { permissions?: Record<string, string>; jobs: Record<string, Job> };

const FOLDER = join(import.meta.dirname, '..', '..', '.github', 'workflows');
const workflows = new Map(
  readdirSync(FOLDER).map((file) => [file, parse(readFileSync(join(FOLDER, file), 'utf8')) as Workflow]),
);
const jobsOf = (file: string) => Object.entries(workflows.get(file)?.jobs ?? {});
const workflow = (file: string) => workflows.get(file) as Workflow;

describe.each([...workflows.keys()])('the workflow %s', (file) => {
  it('takes its actions by major version', () => {
    const used = jobsOf(file).flatMap(([, { uses, steps = [] }]) => [
      uses,
      ...steps.map((step) => step.uses),
    ]);
    const wrong = used.filter((action) => action && !/^\.\/\.github\/|^[\w-]+\/[\w-]+@v\d+$/.test(action));
    expect(wrong).toEqual([]);
  });

  it('reads the repository unless a job says otherwise', () => {
    expect(workflow(file).permissions?.['contents']).toBe('read');
    expect(JSON.stringify(workflow(file))).not.toContain('write-all');
  });

  it('stores no AWS key', () => {
    expect(readFileSync(join(FOLDER, file), 'utf8')).not.toMatch(/aws-access-key-id|AWS_SECRET_ACCESS_KEY/);
  });

  it('puts no expression into a shell, where its text would be run', () => {
    const scripts = jobsOf(file).flatMap(([, { steps = [] }]) => steps.flatMap(({ run }) => run ?? []));
    expect(scripts.filter((script) => /\$\{\{/.test(script))).toEqual([]);
  });
});

describe('the way to prod', () => {
  const { jobs } = workflow('deploy.yml');

  it('goes through the checks, dev and staging, and shows the changes before', () => {
    const order = ['prod'];
    for (let needs = jobs['prod']?.needs; typeof needs === 'string'; needs = jobs[needs]?.needs)
      order.unshift(needs);
    expect(order).toEqual(['check', 'dev', 'staging', 'plan-prod', 'prod']);
    expect(jobs['check']?.uses).toBe('./.github/workflows/ci.yml');
    expect(jobs['plan-prod']?.steps?.some(({ run }) => run?.includes('cdc -- changes --stage prod'))).toBe(
      true,
    );
  });

  it('asks the environment of each stage before it deploys with its role', () => {
    const [[, deploy]] = jobsOf('deploy-stage.yml') as [[string, Job]];
    expect(deploy.environment).toMatch(/^\$\{\{ inputs\.stage \}\}$/);
    const planned = jobs['plan-prod'] as Job;
    expect(planned.environment).toBe('prod-plan');
  });
});
