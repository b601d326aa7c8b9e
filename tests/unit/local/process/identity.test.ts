import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { identify, isAlive, type ProcessIdentity } from '../../../../local/process/identity.ts';

describe('the identity of a process', () => {
  it('is that of a running process until it ends', async () => {
    const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const identity = identify(child.pid as number) as ProcessIdentity;
    expect(isAlive(identity)).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(isAlive(identity)).toBe(false);
  });

  it('is not that of another process with the same number', () => {
    const identity = identify(process.pid) as ProcessIdentity;
    expect(isAlive({ ...identity, started: 'earlier' })).toBe(false);
  });

  it('is nothing where there is no process', () => {
    expect(identify(2 ** 22 + 1)).toBeNull();
  });
});
