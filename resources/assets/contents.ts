import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { type NamedFile, zipOf } from './zip.ts';

const HASH_LENGTH = 16;

/**
 * What Glue runs and reads, as it lies in S3 under `<assets>/`: `job.py` (the script), `lakehouse.zip`
 * (`--extra-py-files`), `sql/` and `tables.yml`. Each YAML file has its JSON beside it, which needs no parser on Glue.
 * @param root folder of the project
 */
export function assetFiles(root: string): NamedFile[] {
  const documents = [read(root, 'tables.yml'), ...readAll(root, 'sql', /\.(sql|yml)$/)];
  return [
    read(join(root, 'glue'), 'job.py'),
    { name: 'lakehouse.zip', body: zipOf(readAll(join(root, 'glue'), 'lakehouse', /\.py$/)) },
    ...documents,
    ...documents.filter(({ name }) => name.endsWith('.yml')).map(asJson),
  ];
}

/** A name for exactly these files: 16 hexadecimal digits. */
export function contentHash(files: readonly NamedFile[]): string {
  const digest = createHash('sha256');
  for (const { name, body } of files) digest.update(`${name}\0${body.length}\0`).update(body);
  return digest.digest('hex').slice(0, HASH_LENGTH);
}

function readAll(root: string, folder: string, wanted: RegExp): NamedFile[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => wanted.test(path))
    .map((path) => `${folder}/${path.replaceAll('\\', '/')}`)
    .sort()
    .map((path) => read(root, path));
}

function read(root: string, name: string): NamedFile {
  return { name, body: readFileSync(join(root, name)) };
}

function asJson({ name, body }: NamedFile): NamedFile {
  const document: unknown = parseYaml(body.toString('utf8'));
  return { name: name.replace(/\.yml$/, '.json'), body: Buffer.from(JSON.stringify(document)) };
}
