import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';

/** Enough for a Java stack trace's head and the lines before it, little enough for a terminal. */
const TAIL_BYTES = 64 * 1024;

/** Opens a fresh log for appending; the one before is kept as `<file>.1`. The caller closes the descriptor. */
export function openLog(file: string): number {
  mkdirSync(dirname(file), { recursive: true });
  if (existsSync(file)) renameSync(file, `${file}.1`);
  return openSync(file, 'a');
}

/** The last `lines` lines of a file; a word in brackets when there are none. */
export function tail(file: string, lines = 20): string {
  if (!existsSync(file)) return '(no log)';
  const descriptor = openSync(file, 'r');
  try {
    const size = fstatSync(descriptor).size;
    const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES));
    readSync(descriptor, bytes, 0, bytes.length, size - bytes.length);
    const text = bytes.toString('utf8').trimEnd();
    return text === '' ? '(empty log)' : text.split('\n').slice(-lines).join('\n');
  } finally {
    closeSync(descriptor);
  }
}
