import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { parse, stringify } from 'yaml';
import { slots } from './slots.ts';
import type { Template } from './template.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
const SLS = join(ROOT, 'node_modules', '.bin', 'sls');

/** A digest that is none: packaging looks at its form alone. */
const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;
const IMAGE = `quay.io/debezium/connect@${DIGEST}`;

const PACKAGED_WITHIN_MS = 400_000;
const AT_ONCE = 2;

/** A deployment that is packaged as `sls deploy` would. */
export type Variant = {
  name: string;
  stage: string;
  /** `--param` of the command line. */
  params?: Readonly<Record<string, string>>;
  /** How many tables the registry has; left out: tables.yml as it is. */
  tables?: number;
};

/** A template as it came out, the file that it stands in, and the folder with the sources that it was made of. */
export type Packaged = { source: string; file: string; template: Template };

const ACCOUNT_IMAGE = `123456789012.dkr.ecr.us-east-1.amazonaws.com/connect@${DIGEST}`;

/** The deployments that are checked: every stage, every alternative that parameters choose, and a large registry. */
export const VARIANTS: readonly Variant[] = [
  { name: 'dev', stage: 'dev' },
  { name: 'staging', stage: 'staging' },
  { name: 'prod', stage: 'prod', params: { alertEmail: 'alerts@example.com' } },
  {
    name: 'endpoints-and-existing-database',
    stage: 'dev',
    params: {
      egress: 'endpoints',
      debeziumImage: ACCOUNT_IMAGE,
      s3PrefixList: 'pl-63a5400a',
      database: 'existing',
      sourceHost: 'shop.0a1b2c3d.us-east-1.rds.amazonaws.com',
      sourceDatabase: 'shop',
      sourceSecretId: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:shop-AbCdEf',
      sourceVpc: 'vpc-0a1b2c3d4e5f60718',
      sourceVpcCidr: '10.99.0.0/16',
      sourceRouteTables: 'rtb-0a1b2c3d4e5f60718',
      sourceSecurityGroup: 'sg-0a1b2c3d4e5f60718',
    },
  },
  // In dev, whose brokers hold the fewest partitions.
  { name: '60-tables', stage: 'dev', tables: 60 },
];

/** Packages variants, two at a time, each into its own folder of `scratch`. @throws Error with what osls said */
export async function packageAll(variants: readonly Variant[], scratch: string): Promise<Packaged[]> {
  const inSlot = slots(AT_ONCE);
  return Promise.all(
    variants.map((variant) => inSlot(() => packageOne(variant, join(scratch, variant.name)))),
  );
}

/** Each from a copy of the sources: osls writes into the service's folder while it packages. */
async function packageOne(variant: Variant, folder: string): Promise<Packaged> {
  const source = join(folder, 'source');
  copySources(source);
  if (variant.tables !== undefined) writeRegistry(join(source, 'tables.yml'), variant.tables);
  const params = Object.entries(variant.params ?? {}).map(([name, value]) => `--param=${name}=${value}`);
  const out = join(folder, 'package');
  const { failed, all } = await execa(
    SLS,
    ['package', '--stage', variant.stage, '--package', out, ...params],
    {
      cwd: source,
      // Packaging leaves folders in the place for temporary files.
      env: { DEBEZIUM_IMAGE: IMAGE, SLS_INTERACTIVE_SETUP_ENABLE: '0', TMPDIR: folder },
      all: true,
      reject: false,
      timeout: PACKAGED_WITHIN_MS,
    },
  );
  if (failed) throw new Error(`${variant.name} can't be packaged; osls said:\n${all}`);
  const template = JSON.parse(readFileSync(join(out, 'cloudformation-template-update-stack.json'), 'utf8'));
  // As osls uploads it, without the indentation of the file, which counts for nothing.
  const file = join(folder, 'template.json');
  writeFileSync(file, JSON.stringify(template));
  return { source, file, template };
}

/** What packaging reads, by leaving out what it never does: installed packages, tests, state of the twin. */
function copySources(to: string): void {
  mkdirSync(to, { recursive: true });
  const left = new Set(['node_modules', 'tests', 'docs', 'local']);
  for (const name of readdirSync(ROOT)) {
    if (name.startsWith('.') || left.has(name)) continue;
    cpSync(join(ROOT, name), join(to, name), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(to, 'node_modules'));
}

/** The project's registry with as many tables as asked for: its own ones, and then tables with long names. */
function writeRegistry(file: string, tables: number): void {
  const registry = parse(readFileSync(file, 'utf8')) as { tables: Record<string, unknown> };
  for (let index = Object.keys(registry.tables).length; index < tables; index += 1) {
    registry.tables[`accounts_receivable.ledger_entry_${String(index).padStart(2, '0')}`] = {};
  }
  writeFileSync(file, stringify(registry));
}
