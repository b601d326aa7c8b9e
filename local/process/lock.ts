import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';

/** Held until `release` or until the process ends, however it ends: the operating system gives it back. */
export type FileLock = { release(): void };

const SQLITE_BUSY = 5;

/** A lock that nobody refers to any more must not be given back by the garbage collector. */
const held = new Set<DatabaseSync>();

/**
 * Takes the lock of a file, which is made if missing and never removed; null when another process holds it.
 * Node has no flock: SQLite's exclusive transaction is a lock that the system releases even after kill -9, so a stale
 * lock can't exist.
 */
export function tryLock(file: string): FileLock | null {
  mkdirSync(dirname(file), { recursive: true });
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
    held.add(database);
    return { release: () => giveBack(database) };
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return null;
    throw new Error(`Can't lock ${file}: ${(error as Error).message}`, { cause: error });
  }
}

function giveBack(database: DatabaseSync): void {
  if (held.delete(database)) database.close();
}

/** Waits for the lock, at most `withinMs`; `onWait` is called once when it isn't free at first. */
export async function lock(file: string, withinMs: number, onWait: () => void): Promise<FileLock> {
  const deadline = Date.now() + withinMs;
  for (let first = true; ; first = false) {
    const taken = tryLock(file);
    if (taken !== null) return taken;
    if (first) onWait();
    if (Date.now() > deadline) {
      throw new Error(
        `Another process has held ${file} for more than ${withinMs / 1000} s; end it or wait for it, then try again.`,
      );
    }
    await pause(250);
  }
}
