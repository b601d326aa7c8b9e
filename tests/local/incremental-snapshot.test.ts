import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sourceConnection } from '../../functions/cdc/source-url.ts';
import { readCondition } from '../../functions/connector/apply.ts';
import { incrementalOf } from '../../functions/connector/incremental.ts';
import { keepConnector } from '../../functions/connector/keep.ts';
import { removeConnector } from '../../functions/connector/remove.ts';
import { RestartLimit } from '../../functions/connector/restart-limit.ts';
import { signalSnapshot } from '../../functions/source/signal.ts';
import { withAdmin } from '../../local/kafka/broker.ts';
import { tail } from '../../local/process/log.ts';
import { removeState } from '../../local/state.ts';
import {
  capture,
  connector,
  createSource,
  query,
  SNAPSHOT_ROWS,
  type Stack,
  stackConfig,
  startStack,
} from './stack.ts';

const BOUND_MS = 240_000;
/** So many that the snapshot takes longer than the time between two commits of the offset. */
const MORE_ROWS = 100_000;
const root = mkdtempSync(join(tmpdir(), 'cdc-incremental-'));
const logs = () => ['connect', 'postgres'].map((name) => tail(join(root, 'logs', `${name}.log`))).join('\n');
let stack: Stack;

beforeAll(async () => {
  stack = await startStack(root, { orphan: () => {}, event: () => {} });
  await createSource(stack.postgres.admin);
  await capture(stack);
});

afterAll(async () => {
  if (stack !== undefined) {
    await stack.supervisor.stopAll();
    stack.state.release();
  }
  await removeState(root);
  rmSync(root, { recursive: true, force: true });
});

async function until<T>(what: string, look: () => Promise<T | false>): Promise<T> {
  for (const deadline = Date.now() + BOUND_MS; ; await pause(50)) {
    const seen = await look();
    if (seen !== false) return seen;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${BOUND_MS / 1000} s\n${logs()}`);
  }
}

async function records(): Promise<number> {
  const offsets = await withAdmin(stack.broker, (admin) => admin.fetchTopicOffsets('cdc.public.notes'));
  return Number(offsets[0]?.high);
}

describe('an incremental snapshot by signal', () => {
  it('reads exactly the rows of the condition', async () => {
    const before = await records();
    await snapshot('id > 500');
    expect(await records()).toBe(before + SNAPSHOT_ROWS - 500);
  });

  it('is seen to run until every row is in Kafka', async () => {
    const already = await records();
    await query(
      stack.postgres.admin,
      `INSERT INTO notes (text) SELECT 'more' FROM generate_series(1, ${MORE_ROWS})`,
    );
    await until('the rows', async () => (await records()) === already + MORE_ROWS);
    const before = await records();
    const states = await snapshot();
    expect(states).toContainEqual({ seen: true, running: true, tables: ['public.notes'] });
    expect(states.at(-1)).toEqual({ seen: true, running: false, tables: [] });
    expect(await records()).toBe(before + SNAPSHOT_ROWS + MORE_ROWS);
    expect(await readCondition(stack.api, connector)).toEqual({
      state: 'running',
      snapshot: 'complete',
      error: null,
    });
  });
});

/** Signals, and waits until the snapshot is done. Answers what was seen of it. */
async function snapshot(condition?: string): Promise<object[]> {
  const admin = sourceConnection(stack.postgres.admin);
  const { lsn, table } = await signalSnapshot(admin, 'notes', ['public.notes'], condition);
  expect(table).toBe('public.notes');
  const states: object[] = [];
  await until('the incremental snapshot', async () => {
    const state = incrementalOf(await stack.api.offsets(connector), lsn);
    if (JSON.stringify(state) !== JSON.stringify(states.at(-1))) states.push(state);
    return state.seen && !state.running;
  });
  return states;
}

describe('keeping the connector', () => {
  it('finds it as it is declared, and puts what differs', async () => {
    const limit = new RestartLimit(6);
    const keep = () => keepConnector(stack.api, connector, stackConfig(stack), limit);
    const well = { condition: { state: 'running' }, failedTasks: 0, restarts: 0, problem: null };
    expect(await keep()).toMatchObject({ applied: 'unchanged', ...well });
    await stack.api.put(connector, { ...stackConfig(stack), 'poll.interval.ms': '100' });
    expect(await keep()).toMatchObject({ applied: 'changed', ...well });
  });

  it('removes it with its offsets, and lets go of the slot', async () => {
    expect(await removeConnector(stack.api, connector, BOUND_MS)).toBe(true);
    expect(await stack.api.config(connector)).toBeNull();
    await until('the slot', async () => {
      const [slot] = await query(stack.postgres.admin, 'SELECT active FROM pg_replication_slots');
      return slot?.['active'] === false;
    });
    expect(await removeConnector(stack.api, connector, BOUND_MS)).toBe(false);
  });
});
