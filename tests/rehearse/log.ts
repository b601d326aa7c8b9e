import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Writes text to the end of a file. */
export function appender(path: string): (text: string) => void {
  mkdirSync(dirname(path), { recursive: true });
  return (text) => appendFileSync(path, text);
}

/** The end of a log, for the message of a wait that failed. */
export function tailOf(path: string, characters = 6_000): string {
  return existsSync(path)
    ? `--- ${path}\n${readFileSync(path, 'utf8').slice(-characters)}\n---`
    : `(no ${path})`;
}
