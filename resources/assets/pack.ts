/** Writes what would be uploaded into a folder of its hash and prints it: node resources/assets/pack.ts <folder> */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { assetFiles, contentHash } from './contents.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write('usage: node resources/assets/pack.ts <folder>\n');
  process.exit(2);
}
const files = assetFiles(join(import.meta.dirname, '..', '..'));
const target = join(folder, contentHash(files));
for (const { name, body } of files) {
  const path = join(target, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, body);
}
process.stdout.write(`${target}\n`);
