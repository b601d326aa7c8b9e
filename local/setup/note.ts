import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Written into an installed folder as the last step: what it was installed from. */
const FILE = '.installed-from';

export function checksumOf(parts: readonly (string | Buffer)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex');
}

/** Whether the folder was installed completely from just that. */
export function isNoted(folder: string, checksum: string): boolean {
  try {
    return readFileSync(join(folder, FILE), 'utf8').trim() === checksum;
  } catch {
    return false;
  }
}

export function note(folder: string, checksum: string): void {
  writeFileSync(join(folder, FILE), `${checksum}\n`);
}
