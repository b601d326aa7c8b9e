import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { PROJECT_ROOT } from '../state.ts';

type Serverless = {
  params: Record<string, Record<string, unknown> | undefined>;
  provider: { region: string };
};

/** serverless.yml as text: variables and CloudFormation's tags stay as they are, for only plain values are taken. */
function readServerless(): Serverless {
  const text = readFileSync(join(PROJECT_ROOT, 'serverless.yml'), 'utf8');
  return parse(text, { logLevel: 'error' }) as Serverless;
}

/** The parameters of a stage (`params` in serverless.yml), the stage's own over the defaults. */
export function stageParameters(stage: string): Readonly<Record<string, unknown>> {
  const { params } = readServerless();
  return { ...params['default'], ...params[stage] };
}

/** The region that `sls deploy` takes when it is told none: `provider.region: ${opt:region, '<region>'}`. */
export function deployedRegion(): string {
  const region = /^\$\{opt:region, '([a-z0-9-]+)'\}$/.exec(readServerless().provider.region)?.[1];
  if (region === undefined) {
    throw new Error('provider.region of serverless.yml is not as expected; name the region with --region.');
  }
  return region;
}
