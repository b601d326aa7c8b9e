import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { PROJECT_ROOT } from '../state.ts';
import { UsageError } from '../usage-error.ts';

export type Template = { Resources: Readonly<Record<string, TemplateResource>> };
export type TemplateResource = { Type: string; Properties?: Readonly<Record<string, unknown>> };

const PACKAGED = 'cloudformation-template-update-stack.json';
/** Stands for the image's digest where none is given: what it costs to run does not depend on it. */
const ANY_IMAGE = `quay.io/debezium/connect@sha256:${'0'.repeat(64)}`;

/** The template that `sls deploy` would send, packaged in a scratch folder. Needs neither credentials nor network. */
export async function packagedTemplate(stage: string): Promise<Template> {
  const folder = mkdtempSync(join(tmpdir(), 'cdc-cost-'));
  try {
    const sls = join(PROJECT_ROOT, 'node_modules', '.bin', 'sls');
    const packaged = await execa(sls, ['package', '--stage', stage, '--package', folder], {
      cwd: PROJECT_ROOT,
      // Packaging leaves folders in the place for temporary files.
      env: { DEBEZIUM_IMAGE: process.env['DEBEZIUM_IMAGE'] || ANY_IMAGE, TMPDIR: folder },
      all: true,
      reject: false,
    });
    if (packaged.failed) throw new UsageError(`sls package --stage ${stage} failed:\n${packaged.all}`);
    return readTemplate(join(folder, PACKAGED));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A template in a file. @throws UsageError when it is none */
export function readTemplate(file: string): Template {
  let template: Partial<Template> | null;
  try {
    template = JSON.parse(readFileSync(file, 'utf8')) as Partial<Template> | null;
  } catch (error) {
    throw new UsageError(`${file} can't be read as a template: ${(error as Error).message}`, {
      cause: error,
    });
  }
  if (typeof template?.Resources !== 'object')
    throw new UsageError(`${file} is no CloudFormation template: it has no Resources.`);
  return template as Template;
}

/** The resources of one type, by logical id. */
export function resourcesOf(template: Template, type: string): [string, Readonly<Record<string, unknown>>][] {
  return Object.entries(template.Resources)
    .filter(([, resource]) => resource.Type === type)
    .map(([id, { Properties }]) => [id, Properties ?? {}]);
}

/** A property by its path: `BrokerNodeGroupInfo.InstanceType`; undefined where there is none. */
export function property(properties: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], properties);
}

/** A property that is a number, written as one or as text. @throws UsageError that names it */
export function numberAt(properties: unknown, path: string): number {
  const value = Number(property(properties, path));
  if (!Number.isFinite(value)) throw new UsageError(`The template has no number at ${path}.`);
  return value;
}
