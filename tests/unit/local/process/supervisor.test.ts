import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { identify, isAlive } from '../../../../local/process/identity.ts';
import { type ChildEvent, type ChildSpec, Supervisor } from '../../../../local/process/supervisor.ts';
import { type OwnedState, ownState } from '../../../../local/state.ts';

const BOUND_MS = 60_000;

let root: string;
let state: OwnedState;
let supervisor: Supervisor;
let events: ChildEvent[];
/** Once it is there, a script does what `whenTold` says. */
let told: string;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'cdc supervisor '));
  state = await ownState(join(root, 'state'), () => {});
  events = [];
  told = join(root, 'told');
  supervisor = new Supervisor(state, (event) => events.push(event));
});

afterEach(async () => {
  await supervisor.stopAll();
  state.release();
  rmSync(root, { recursive: true });
});

/** A child in Node: healthy once it has written `<name>.ready`; on SIGTERM it appends its name to `order` and ends. */
function script(name: string, code: string, spec: Partial<ChildSpec> = {}): ChildSpec {
  const ready = join(root, `${name}.ready`);
  const prelude = `
    const fs = require('node:fs');
    const ready = () => fs.writeFileSync(${JSON.stringify(ready)}, String(process.pid));
    let lingerMs = 0;
    const end = () => { fs.appendFileSync(${JSON.stringify(join(root, 'order'))}, '${name} '); process.exit(0); };
    process.on('SIGTERM', () => setTimeout(end, lingerMs));
    setInterval(() => {}, 1000);`;
  return {
    name,
    command: process.execPath,
    args: ['-e', `${prelude}\n${code}`],
    isReady: async () => existsSync(ready),
    readyWithinMs: BOUND_MS,
    stopSignal: 'SIGTERM',
    stopWithinMs: BOUND_MS,
    stopAfter: [],
    restart: null,
    ...spec,
  };
}

/** Code that waits for the test: a script that ended by the clock could end before it was seen to be healthy. */
function whenTold(code: string): string {
  return `setInterval(() => { if (fs.existsSync(${JSON.stringify(told)})) { ${code}; } }, 10);`;
}

async function until(what: string, condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + BOUND_MS; !condition(); await pause(20)) {
    if (Date.now() > deadline)
      throw new Error(`${what}: not within ${BOUND_MS} ms; events ${JSON.stringify(events)}`);
  }
}

describe('starting a child', () => {
  it('returns when it is healthy, and records it for whoever must end it later', async () => {
    const child = await supervisor.start(script('a', 'ready(); console.log("hello")'));
    const record = state.read().children['a'];
    expect(record).toMatchObject({ pid: child.pid, stopSignal: 'SIGTERM', log: child.log });
    await until('log', () => readFileSync(child.log, 'utf8') === 'hello\n');
  });

  it('tells the end of the log when it dies first', async () => {
    const dying = script('a', 'console.error("no memory left"); process.exit(3)');
    await expect(supervisor.start(dying)).rejects.toThrow(
      /a ended with code 3 before it was healthy[\s\S]*no memory left/,
    );
    expect(state.read().children).toEqual({});
  });

  it('ends one that is not healthy in time, and says what the probe said', async () => {
    const isReady = () => Promise.reject(new Error('connection refused'));
    const stuck = script('a', '', {
      command: '/bin/sh',
      args: ['-c', 'echo still loading; exec sleep 600'],
      readyWithinMs: 1_000,
      isReady,
    });
    await expect(supervisor.start(stuck)).rejects.toThrow(
      /not healthy within 1 s \(connection refused\)[\s\S]*still loading/,
    );
    expect(state.read().children).toEqual({});
  });

  it('bounds a probe that never answers', async () => {
    const stuck = script('a', '', { readyWithinMs: 500, isReady: () => new Promise(() => {}) });
    await expect(supervisor.start(stuck)).rejects.toThrow(/not healthy within 0.5 s/);
  });

  it('names a program that is not there', async () => {
    const missing = script('a', '', { command: join(root, 'missing'), args: [] });
    await expect(supervisor.start(missing)).rejects.toThrow(/could not be started: .*ENOENT/);
  });

  it('gives it a place for temporary files, which the next start finds empty', async () => {
    await supervisor.start(
      script('a', `fs.writeFileSync(require('node:os').tmpdir() + '/left', ''); ready()`),
    );
    expect(readdirSync(state.paths.temporary)).toEqual(['left']);
    await supervisor.stop('a');
    supervisor = new Supervisor(state, (event) => events.push(event));
    expect(readdirSync(state.paths.temporary)).toEqual([]);
  });

  it('keeps the log of the time before', async () => {
    await supervisor.start(script('a', 'ready(); console.log("first")'));
    await until('log', () => readFileSync(join(state.paths.logs, 'a.log'), 'utf8') !== '');
    await supervisor.stop('a');
    await supervisor.start(script('a', 'ready()'));
    expect(readFileSync(join(state.paths.logs, 'a.log.1'), 'utf8')).toBe('first\n');
  });
});

describe('a child that ends by itself', () => {
  it('is reported with the end of its log, and left alone without a restart policy', async () => {
    await supervisor.start(script('a', `${whenTold('console.log("bye"); process.exit(7)')} ready()`));
    writeFileSync(told, '');
    await until('crash', () => events.length === 1);
    expect(events[0]).toMatchObject({ child: 'a', kind: 'crashed' });
    expect(events[0]?.message).toMatch(/a ended with code 7[\s\S]*bye/);
    expect(state.read().children).toEqual({});
  });

  it('is started again, with its new process recorded', async () => {
    const child = await supervisor.start(script('a', 'ready()', { restart: { limit: 3, windowMs: 60_000 } }));
    const first = child.pid;
    process.kill(first, 'SIGKILL');
    await until('restart', () => events.some(({ kind }) => kind === 'restarted'));
    expect(events.map(({ kind }) => kind)).toEqual(['crashed', 'restarted']);
    expect(child.pid).not.toBe(first);
    expect(state.read().children['a']?.pid).toBe(child.pid);
  });

  it('is given up after the limit', async () => {
    const restart = { limit: 2, windowMs: 600_000 };
    await supervisor.start(script('a', `${whenTold('process.exit(1)')} ready()`, { restart }));
    writeFileSync(told, '');
    await until('give up', () => events.some(({ kind }) => kind === 'gave-up'));
    const kinds = events.map(({ kind }) => kind);
    expect(kinds.at(-1)).toBe('gave-up');
    expect(kinds.filter((kind) => kind === 'crashed')).toHaveLength(3);
    expect(state.read().children).toEqual({});
  });

  it('takes the processes of its group with it', async () => {
    const grandchild = join(root, 'grandchild');
    const code = `
      const sleeper = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
      fs.writeFileSync(${JSON.stringify(grandchild)}, String(sleeper.pid)); ready();`;
    const child = await supervisor.start(script('a', code));
    process.kill(child.pid, 'SIGKILL');
    await until('crash', () => events.length === 1);
    const pid = Number(readFileSync(grandchild, 'utf8'));
    await until('end of the grandchild', () => identify(pid) === null);
  });
});

describe('stopping', () => {
  it('keeps the declared order and calls nothing a crash', async () => {
    await Promise.all([
      supervisor.start(script('postgres', 'lingerMs = 200; ready()', { stopAfter: ['connect'] })),
      supervisor.start(script('kafka', 'ready()', { stopAfter: ['connect', 'postgres'] })),
      supervisor.start(script('connect', 'lingerMs = 400; ready()')),
    ]);
    await supervisor.stopAll();
    expect(readFileSync(join(root, 'order'), 'utf8')).toBe('connect postgres kafka ');
    expect(events).toEqual([]);
    expect(state.read().children).toEqual({});
  });

  it('kills one that does not end within its bound', async () => {
    const deaf = `process.removeAllListeners('SIGTERM'); process.on('SIGTERM', () => {}); ready()`;
    await supervisor.start(script('a', deaf, { stopWithinMs: 200 }));
    const record = state.read().children['a'];
    await supervisor.stopAll();
    expect(record && isAlive(record)).toBe(false);
  });

  it('ends what is still starting, and starts nothing afterwards', async () => {
    const starting = supervisor.start(script('a', ''));
    const outcome = expect(starting).rejects.toThrow(/stopped before it was healthy/);
    await until('spawn', () => 'a' in state.read().children);
    await supervisor.stopAll();
    await outcome;
    await expect(supervisor.start(script('b', 'ready()'))).rejects.toThrow(/the twin is stopping/);
    expect(state.read().children).toEqual({});
  });

  it('gives up a restart that is under way', async () => {
    const child = await supervisor.start(script('a', 'ready()', { restart: { limit: 5, windowMs: 60_000 } }));
    process.kill(child.pid, 'SIGKILL');
    await until('crash', () => events.length === 1);
    await supervisor.stopAll();
    expect(state.read().children).toEqual({});
  });
});
