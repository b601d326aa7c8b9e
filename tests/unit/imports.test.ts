import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const root = resolve(import.meta.dirname, '../..');

const FORBIDDEN = [
  ['functions/gate', '../connector/apply.ts'],
  ['functions/gate', '../../local/state.ts'],
  ['functions/gate', '../../tests/recorded-events.ts'],
  ['functions/source-database', '../source/plan.ts'],
  ['functions/cdc', '../source-database/secret.ts'],
  ['functions/cdc', '../gate/config.ts'],
  ['functions/cdc', '../../local/state.ts'],
  ['functions/cdc', '@aws-sdk/client-s3'],
  ['functions/cdc', 'node:fs'],
  ['functions/cdc', 'node:fs/promises'],
  ['local', '../tests/recorded-events.ts'],
  ['local/pipe', '../../tests/recorded-events.ts'],
  ['resources', '../tests/recorded-events.ts'],
] as const;

const ALLOWED = [
  ['functions/gate', '../cdc/report.ts'],
  ['functions/gate', './config.ts'],
  ['functions/source', '../source-database/secret.ts'],
  ['functions/source-database', '../cdc/sslmode.ts'],
  ['functions/gate', '@aws-sdk/client-s3'],
  ['functions/cdc', './pack.ts'],
  ['functions/cdc', 'zod'],
  ['local/pipe', '../../functions/cdc/names.ts'],
  ['tests/unit', '../../local/state.ts'],
] as const;

/** The project's rules over planted files, each with one import. Biome reports nothing of what it reads from stdin. */
describe('the linter keeps imports one-way', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cdc-imports-'));
  const planted = [...FORBIDDEN, ...ALLOWED];
  let refused: Set<string>;

  const fileOf = (at: string, specifier: string) => `${at}/${specifier.replaceAll(/[^a-z0-9]/g, '_')}.ts`;

  beforeAll(() => {
    copyFileSync(join(root, 'biome.json'), join(folder, 'biome.json'));
    for (const [at, specifier] of planted) {
      const file = join(folder, fileOf(at, specifier));
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, `import { a } from '${specifier}';\n\na();\n`);
    }
    const rule = ['--only=style/noRestrictedImports', '--max-diagnostics=none', '--reporter=json'];
    const { stdout, stderr } = spawnSync(
      join(root, 'node_modules/.bin/biome'),
      ['lint', '--vcs-enabled=false', ...rule],
      { cwd: folder, encoding: 'utf8' },
    );
    refused = new Set(
      planted.map(([at, specifier]) => fileOf(at, specifier)).filter((file) => stdout.includes(file)),
    );
    if (refused.size === 0) throw new Error(`biome refused nothing:\n${stdout}${stderr}`);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(FORBIDDEN)('%s may not import %s', (at, specifier) => {
    expect(refused).toContain(fileOf(at, specifier));
  });

  it.each(ALLOWED)('%s may import %s', (at, specifier) => {
    expect(refused).not.toContain(fileOf(at, specifier));
  });
});
