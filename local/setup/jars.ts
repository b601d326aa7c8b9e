import { createHash } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { PROJECT_ROOT } from '../state.ts';
import { checksumOf, isNoted, note } from './note.ts';
import type { Prerequisites } from './prerequisites.ts';
import { runStep } from './step.ts';

const FOLDER = join(PROJECT_ROOT, '.jars');
const POM = join(import.meta.dirname, 'jars', 'pom.xml');
const SUMS = join(import.meta.dirname, 'jars', 'SHA256SUMS');

function wanted(): string {
  return checksumOf([readFileSync(POM), readFileSync(SUMS)]);
}

export function jarsAreReady(): boolean {
  const files = parseSums(readFileSync(SUMS, 'utf8')).keys();
  return isNoted(FOLDER, wanted()) && [...files].every((file) => existsSync(join(FOLDER, file)));
}

/** Copies every jar of the pom into a folder aside, compares each with its known sum, and only then takes it. */
export async function installJars(prerequisites: Prerequisites): Promise<void> {
  await withJars(prerequisites, async (folder) => {
    assertSums(parseSums(readFileSync(SUMS, 'utf8')), await sumsOf(folder));
    rmSync(FOLDER, { recursive: true, force: true });
    renameSync(folder, FOLDER);
    note(FOLDER, wanted());
  });
}

/** The text of SHA256SUMS for what the pom says now. */
export async function freshSums(prerequisites: Prerequisites): Promise<string> {
  let text = '';
  await withJars(prerequisites, async (folder) => {
    const sums = await sumsOf(folder);
    text = [...sums].map(([file, sum]) => `${sum}  ${file}\n`).join('');
  });
  return text;
}

async function withJars({ maven }: Prerequisites, work: (folder: string) => Promise<void>): Promise<void> {
  const aside = mkdtempSync(join(PROJECT_ROOT, '.jars.new-'));
  try {
    const folder = join(aside, 'jars');
    const args = [
      '-B',
      '-ntp',
      '-q',
      '-f',
      POM,
      'package',
      `-Djars.dir=${folder}`,
      `-Dwork.dir=${join(aside, 'work')}`,
    ];
    await runStep(maven, args, 'Maven could not copy the jars.');
    await work(folder);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

/** SHA-256 of every file below a folder, by its path from there with slashes, in the order of paths. */
async function sumsOf(folder: string): Promise<Map<string, string>> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const sums = await Promise.all(
    files.map(async (file) => [relative(folder, file).split(sep).join('/'), await sha256(file)] as const),
  );
  return new Map(sums.sort(([one], [other]) => (one < other ? -1 : 1)));
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** `<sum>  <path>` a line, as sha256sum writes it. */
export function parseSums(text: string): Map<string, string> {
  const lines = text.split('\n').filter((line) => line !== '');
  return new Map(lines.map((line) => [line.slice(66), line.slice(0, 64)]));
}

/**
 * Compares the jars with the list.
 * @throws Error naming every file that is missing, unknown or different
 */
export function assertSums(expected: ReadonlyMap<string, string>, actual: ReadonlyMap<string, string>): void {
  const files = [...new Set([...expected.keys(), ...actual.keys()])].sort();
  const problems = files.flatMap((file) => {
    const [sum, known] = [actual.get(file), expected.get(file)];
    if (sum === known) return [];
    if (sum === undefined) return [`${file} is missing`];
    return known === undefined ? [`${file} is not in the list`] : [`${file} has sum ${sum}, not ${known}`];
  });
  if (problems.length === 0) return;
  throw new Error(
    `The jars are not those of ${SUMS}:\n${problems.map((problem) => `  - ${problem}`).join('\n')}\nA damaged file in Maven's local repository is mended by deleting it there. After a deliberate change of the pom, run "npm run setup:sums" and review the difference.`,
  );
}
