import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

/** A command line that takes a moment to stop, as the twin does, and says which signal it got. */
const MAIN = `
  const [how] = process.argv.slice(2);
  if (how === 'exit') process.exit(7);
  if (how === 'crash') process.kill(process.pid, 'SIGKILL');
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT']) {
    process.on(signal, () => setTimeout(() => { process.stdout.write(signal); process.exit(3); }, 50));
  }
  setInterval(() => {}, 1000);
  process.stdout.write('up');
`;

let root: string;
let wrapper: ChildProcess | undefined;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cdc wrapper '));
  mkdirSync(join(root, 'local', 'cli'), { recursive: true });
  mkdirSync(join(root, 'node_modules', '.bin'), { recursive: true });
  writeFileSync(join(root, 'package.json'), '{"type":"module"}');
  symlinkSync(process.execPath, join(root, 'node_modules', '.bin', 'node'));
  copyFileSync(resolve('local/cdc.js'), join(root, 'local', 'cdc.js'));
  writeFileSync(join(root, 'local', 'cli', 'main.ts'), MAIN);
});
afterEach(() => {
  // Its whole process group: the wrapper's child with it.
  if (wrapper?.exitCode === null && wrapper.pid) process.kill(-wrapper.pid, 'SIGKILL');
  rmSync(root, { recursive: true, force: true });
});

function start(...args: string[]) {
  const started = spawn(process.execPath, [join(root, 'local', 'cdc.js'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  wrapper = started;
  return started;
}

describe('the cdc command', () => {
  it.each(['SIGTERM', 'SIGHUP'] as const)('hands on %s and outlasts what it started', async (signal) => {
    const cdc = start('start');
    expect(String((await once(cdc.stdout, 'data'))[0])).toBe('up');
    cdc.kill(signal);
    const [[said], [code]] = await Promise.all([once(cdc.stdout, 'data'), once(cdc, 'exit')]);
    expect([String(said), code]).toEqual([signal, 3]);
  });

  it('waits for its child on Ctrl-C, which a terminal sends to both', async () => {
    const cdc = start('start');
    await once(cdc.stdout, 'data');
    process.kill(-(cdc.pid as number), 'SIGINT');
    const [[said], [code]] = await Promise.all([once(cdc.stdout, 'data'), once(cdc, 'exit')]);
    expect([String(said), code]).toEqual(['SIGINT', 3]);
  });

  it('ends as the command ended', async () => {
    expect((await once(start('exit'), 'exit'))[0]).toBe(7);
    expect((await once(start('crash'), 'exit'))[0]).toBe(128 + 9);
  });
});
