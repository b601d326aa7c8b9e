import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { parseRegistry, type Registry } from '../../../functions/cdc/registry.ts';
import type { Resource, StageContext, TemplatePart } from '../../../resources/generated.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');

type Configuration = {
  params: Record<string, Record<string, unknown>>;
  functions: Record<string, { vpc?: unknown; environment?: Record<string, unknown> }>;
};

/** serverless.yml as it stands, its variables and CloudFormation's tags as text. */
export function configuration(): Configuration {
  const tags = ['Ref', 'Sub', 'GetAtt', 'Select', 'Split', 'Join'].flatMap((name) => [
    { tag: `!${name}`, resolve: (value: unknown) => `!${name} ${value}` },
    { tag: `!${name}`, collection: 'seq' as const, resolve: () => `!${name}` },
  ]);
  const text = readFileSync(join(ROOT, 'serverless.yml'), 'utf8');
  return parse(text, { customTags: tags as never, logLevel: 'silent' }) as Configuration;
}

/** A stage as osls hands it to the generators, with serverless.yml's parameters, and those and a `region` given here above them. */
export function stageContext(
  stage: string,
  parameters: Record<string, string> = {},
  registry: Registry = deployedRegistry(),
): StageContext {
  const { params } = configuration();
  const values: Record<string, unknown> = { ...params['default'], ...params[stage], ...parameters };
  return {
    prefix: `cdc-demo-${stage}`,
    stage,
    region: parameters['region'] ?? 'us-east-1',
    registry,
    param: async (name) => {
      if (!(name in values)) throw new Error(`serverless.yml has no parameter ${name}`);
      return String(values[name]);
    },
  };
}

export function deployedRegistry(): Registry {
  return parseRegistry(readFileSync(join(ROOT, 'tables.yml'), 'utf8'));
}

/** A registry of so many tables, all alike. */
export function registryOf(tables: number): Registry {
  const names = Array.from(
    { length: tables },
    (_, index) =>
      `  table_${String.fromCharCode(97 + (index % 26))}${'x'.repeat(Math.floor(index / 26))}: {}`,
  );
  return parseRegistry(`project: cdc_demo\nepoch: 1\ntables:\n${names.join('\n')}\n`);
}

/** One resource of a part. @throws Error that names what the part has instead */
export function resourceOf(part: TemplatePart, logicalId: string): Resource {
  const resource = part.Resources?.[logicalId];
  if (resource === undefined) {
    throw new Error(`There is no ${logicalId}, but ${Object.keys(part.Resources ?? {}).join(', ')}`);
  }
  return resource;
}

export function resourcesOfType(part: TemplatePart, type: string): Resource[] {
  return Object.values(part.Resources ?? {}).filter(({ Type }) => Type === type);
}
