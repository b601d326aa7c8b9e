import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { identify } from '../../../local/process/identity.ts';
import {
  AlreadyRunningError,
  ensureSecrets,
  ownState,
  readState,
  removeState,
  runningOwner,
  statePaths,
  stateRoot,
  stopTwin,
} from '../../../local/state.ts';

const OWNER = `
  const { ownState } = await import(process.argv[1]);
  const { Supervisor } = await import(process.argv[2]);
  const state = await ownState(process.argv[3], () => {});
  const supervisor = new Supervisor(state, () => {});
  await supervisor.start({
    name: 'sleeper', command: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)'],
    isReady: async () => true, readyWithinMs: 5000, stopSignal: 'SIGTERM', stopWithinMs: 5000, stopAfter: [], restart: null,
  });
  process.on('SIGTERM', async () => { await supervisor.stopAll(); state.release(); process.exit(0); });
  process.stdout.write('up');
`;

let folder: string;
let root: string;
const spawned: ChildProcess[] = [];
const unheard = () => {};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cdc state '));
  root = join(folder, 'state');
});
afterEach(async () => {
  for (const child of spawned.splice(0)) child.kill('SIGKILL');
  await stopTwin(root, unheard).catch(unheard);
  rmSync(folder, { recursive: true, force: true });
});

/** Another process that owns the folder and has one child. */
async function startOwner() {
  const modules = ['local/state.ts', 'local/process/supervisor.ts'].map((file) => resolve(file));
  const owner = spawn(process.execPath, ['--input-type=module', '-e', OWNER, ...modules, root], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  spawned.push(owner);
  expect(String((await once(owner.stdout, 'data'))[0])).toBe('up');
  const child = readState(root)?.children['sleeper'];
  if (child === undefined) throw new Error('the child is not in state.json');
  return { owner, child };
}

describe('the place of a state folder', () => {
  it('is the option, else CDC_STATE, else .cdc in the checkout', () => {
    expect(stateRoot('/x/y')).toBe('/x/y');
    expect(stateRoot()).toBe(resolve('.cdc'));
    process.env['CDC_STATE'] = '/from/env';
    expect(stateRoot()).toBe('/from/env');
    delete process.env['CDC_STATE'];
  });

  it('may not hold what Java and Kafka split paths at', async () => {
    await expect(ownState(join(folder, 'a,b'), unheard)).rejects.toThrow(/colon or a comma/);
    await expect(ownState(join(folder, 'a:b'), unheard)).rejects.toThrow(/colon or a comma/);
  });

  it('may not be a folder with other things in it, which clean would remove', async () => {
    mkdirSync(root);
    writeFileSync(join(root, 'thesis.tex'), '');
    await expect(ownState(root, unheard)).rejects.toThrow(/not a state folder/);
    await expect(removeState(root)).rejects.toThrow(/not a state folder/);
    expect(existsSync(join(root, 'thesis.tex'))).toBe(true);
  });
});

describe('the owner of a state folder', () => {
  it('is one at a time; the second is told which process it is', async () => {
    const { owner, child } = await startOwner();
    await expect(ownState(root, unheard)).rejects.toThrow(AlreadyRunningError);
    await expect(ownState(root, unheard)).rejects.toThrow(`running already as process ${owner.pid}`);
    expect(runningOwner(root)?.pid).toBe(owner.pid);
    expect(await stopTwin(root, unheard)).toBe(true);
    expect(identify(child.pid)).toBeNull();
    expect(runningOwner(root)).toBeNull();
  });

  it('ends the children of one that was killed, and nothing else', async () => {
    const { owner, child } = await startOwner();
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    expect(identify(child.pid)).not.toBeNull();
    const orphans: string[] = [];
    const state = await ownState(root, (name) => orphans.push(name));
    expect(orphans).toEqual(['sleeper']);
    expect(identify(child.pid)).toBeNull();
    expect(state.read().children).toEqual({});
    state.release();
  });

  it('does not kill a later process that has the number of a child', async () => {
    const bystander = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    spawned.push(bystander);
    const pid = bystander.pid as number;
    const first = await ownState(root, unheard);
    first.update((state) => {
      state.children['old'] = {
        pid,
        started: 'at another time',
        stopSignal: 'SIGKILL',
        stopWithinMs: 100,
        stopAfter: [],
        log: '',
        since: '',
      };
    });
    first.release();
    const orphans: string[] = [];
    (await ownState(root, (name) => orphans.push(name))).release();
    expect(orphans).toEqual([]);
    expect(identify(pid)).not.toBeNull();
  });

  it('is nobody after a stop, and a stop of nothing says so', async () => {
    expect(await stopTwin(root, unheard)).toBe(false);
    (await ownState(root, unheard)).release();
    expect(await stopTwin(root, unheard)).toBe(false);
  });
});

describe('what a state folder keeps', () => {
  it('outlives its owner, and goes with clean, folders outside included', async () => {
    const outside = join(folder, 'outside');
    mkdirSync(outside);
    const state = await ownState(root, unheard);
    state.update((content) => {
      content.ports = { kafka: 20_001 };
      content.outside = [outside];
    });
    state.release();
    expect(readState(root)).toMatchObject({ owner: null, ports: { kafka: 20_001 } });
    await removeState(root);
    expect([root, outside].filter((path) => existsSync(path))).toEqual([]);
  });

  it('shows its URLs, which hold passwords, to its owner alone, and lets every account pass', async () => {
    const state = await ownState(root, unheard);
    state.update((content) => {
      content.urls = { source: 'postgresql://shop:secret@127.0.0.1/shop' };
    });
    state.release();
    expect(statSync(statePaths(root).state).mode & 0o777).toBe(0o600);
    expect(statSync(root).mode & 0o111).toBe(0o111);
  });

  it('keeps one placeholder and one password a role, for its owner alone', async () => {
    const state = await ownState(root, unheard);
    const first = ensureSecrets(state.paths, ['shop']);
    const second = ensureSecrets(state.paths, ['shop', 'replication']);
    state.release();
    expect(first.placeholder).toMatch(/^[0-9a-f]{32}$/);
    expect(second.placeholder).toBe(first.placeholder);
    expect(second.passwords['shop']).toBe(first.passwords['shop']);
    expect(statSync(statePaths(root).secrets).mode & 0o777).toBe(0o600);
  });

  it('says which file is damaged', async () => {
    (await ownState(root, unheard)).release();
    writeFileSync(statePaths(root).state, '{"version":1,');
    expect(() => readState(root)).toThrow(/state\.json is not valid JSON/);
    expect(readFileSync(statePaths(root).state, 'utf8')).toBe('{"version":1,');
  });
});
