import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execPath } from 'node:process';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { lock, tryLock } from '../../../../local/process/lock.ts';

const HOLDER = `
  const { tryLock } = await import(process.argv[1]);
  const held = tryLock(process.argv[2]);
  process.stdout.write(held ? 'held' : 'refused');
  process.stdin.resume();
`;

let folder: string;
let holder: ChildProcess | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cdc lock '));
});
afterEach(() => {
  holder?.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

describe('the lock of a file', () => {
  it('is held by one at a time and can be taken again', () => {
    const file = join(folder, 'x.lock');
    const first = tryLock(file);
    expect(first).not.toBeNull();
    expect(tryLock(file)).toBeNull();
    first?.release();
    const second = tryLock(file);
    expect(second).not.toBeNull();
    second?.release();
  });

  it('is held against other processes, and given back by kill -9', async () => {
    const file = join(folder, 'x.lock');
    const module = resolve('local/process/lock.ts');
    const other = spawn(execPath, ['--input-type=module', '-e', HOLDER, module, file], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    holder = other;
    const [word] = await once(other.stdout, 'data');
    expect(String(word)).toBe('held');
    expect(tryLock(file)).toBeNull();
    const waits: string[] = [];
    const waiting = lock(file, 10_000, () => waits.push('waiting'));
    other.kill('SIGKILL');
    (await waiting).release();
    expect(waits).toEqual(['waiting']);
  });

  it('says which file is held when the wait is over', async () => {
    const file = join(folder, 'x.lock');
    const held = tryLock(file);
    await expect(lock(file, 1, () => {})).rejects.toThrow(file);
    held?.release();
  });
});
