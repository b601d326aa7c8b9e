import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import {
  connectorName,
  FORMER_PLATFORM_TABLES,
  NOTIFICATION_TOPIC,
  platformTables,
} from '../../functions/cdc/connector-config.ts';
import { sourceConnection } from '../../functions/cdc/source-url.ts';
import { applyConnector, readCondition } from '../../functions/connector/apply.ts';
import { incrementalOf } from '../../functions/connector/incremental.ts';
import { keepConnector } from '../../functions/connector/keep.ts';
import { removeConnector } from '../../functions/connector/remove.ts';
import { RestartLimit } from '../../functions/connector/restart-limit.ts';
import { readNotifications } from '../../functions/events/notifications.ts';
import { type SnapshotEnd, snapshotEnd } from '../../functions/events/snapshot-end.ts';
import { replicationRole, sourceSettings } from '../../functions/source/config.ts';
import { signalSnapshot } from '../../functions/source/signal.ts';
import { prepareSource } from '../../functions/source/source.ts';
import { withAdmin } from '../../local/kafka/broker.ts';
import { tail } from '../../local/process/log.ts';
import { removeState } from '../../local/state.ts';
import {
  capture,
  connector,
  createSource,
  deployment,
  query,
  registry,
  SNAPSHOT_ROWS,
  type Stack,
  shareSource,
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
  await createSource(stack.postgres.admin, FORMER_PLATFORM_TABLES);
  await capture(stack, formerConfig());
});

/** As the connector was configured when all deployments shared a signal table, and notified nobody. */
function formerConfig(): Record<string, string> {
  const { signal, heartbeat } = FORMER_PLATFORM_TABLES;
  const config = {
    ...stackConfig(stack),
    'table.include.list': `public\\.notes,${signal}`,
    'signal.data.collection': signal,
    'heartbeat.action.query': `UPDATE ${heartbeat} SET ts = now()`,
  };
  return Object.fromEntries(Object.entries(config).filter(([name]) => !name.startsWith('notification.')));
}

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

async function records(topic = 'cdc.public.notes'): Promise<number> {
  const offsets = await withAdmin(stack.broker, (admin) => admin.fetchTopicOffsets(topic));
  return Number(offsets[0]?.high);
}

/** Signals, and waits until Debezium has nothing left to read. Answers what was seen of it, and how it ended. */
async function snapshot(
  condition?: string,
  owner = deployment,
  notifications = NOTIFICATION_TOPIC,
): Promise<{ states: object[]; end: SnapshotEnd }> {
  const admin = sourceConnection(stack.postgres.admin);
  const asked = { tables: registry.tables, platform: platformTables(owner) };
  const { signal, lsn, table } = await signalSnapshot(admin, asked, 'notes', condition);
  expect(table).toBe('public.notes');
  const states: object[] = [];
  await until('the incremental snapshot', async () => {
    const state = incrementalOf(await stack.api.offsets(connectorName(owner)), lsn);
    if (JSON.stringify(state) !== JSON.stringify(states.at(-1))) states.push(state);
    return state.seen && !state.running;
  });
  const kafka = new Kafka({ brokers: [stack.broker], logLevel: logLevel.NOTHING });
  return { states, end: snapshotEnd(signal, await readNotifications(kafka, notifications)) };
}

const WHOLE = { whole: true, reason: 'Debezium read to its end' };

describe('a connector that was put before its tables had names of their own', () => {
  it('goes on when it gets its new settings before the source is prepared, and then reads signals of its own', async () => {
    const settings = stackConfig(stack);
    await applyConnector(stack.api, connector, { ...settings, 'heartbeat.interval.ms': '200' });
    await until('a heartbeat on a table that is not there', async () =>
      tail(join(root, 'logs', 'postgres.log')).includes('children_test_heartbeat" does not exist'),
    );
    await prepareSource(
      sourceConnection(stack.postgres.admin),
      sourceSettings(deployment, registry.tables, { name: replicationRole(deployment), password: 'p' }),
    );
    expect(await applyConnector(stack.api, connector, settings)).toBe('changed');
    const before = await records();
    expect((await snapshot('id > 1990')).end).toEqual(WHOLE);
    expect(await records()).toBe(before + 10);
    expect(await readCondition(stack.api, connector)).toMatchObject({ state: 'running', error: null });
  });
});

describe('an incremental snapshot by signal', () => {
  it('reads exactly the rows of the condition', async () => {
    const before = await records();
    expect((await snapshot('id > 500')).end).toEqual(WHOLE);
    expect(await records()).toBe(before + SNAPSHOT_ROWS - 500);
  });

  it('is whole when no row meets the condition', async () => {
    expect((await snapshot('id < 0')).end).toEqual(WHOLE);
  });

  it.each([
    ['at every row', '1 / (id - id) = 1'],
    ['at one row', 'id <> 1500 OR text::int > 0'],
  ])('whose condition fails %s looks done, and is told not to be whole', async (_where, condition) => {
    const { states, end } = await snapshot(condition);
    expect(states.at(-1)).toEqual({ seen: true, running: false, tables: [] });
    expect(end).toEqual({
      whole: false,
      reason: expect.stringMatching(/gave it up after \d+ rows \(SQL_EXCEPTION\)/),
    });
    expect((await snapshot('id = 1')).end).toEqual(WHOLE);
  });

  it('is seen to run until every row is in Kafka', async () => {
    const already = await records();
    await query(
      stack.postgres.admin,
      `INSERT INTO notes (text) SELECT 'more' FROM generate_series(1, ${MORE_ROWS})`,
    );
    await until('the rows', async () => (await records()) === already + MORE_ROWS);
    const before = await records();
    const { states, end } = await snapshot();
    expect(states).toContainEqual({ seen: true, running: true, tables: ['public.notes'] });
    expect(states.at(-1)).toEqual({ seen: true, running: false, tables: [] });
    expect(end).toEqual(WHOLE);
    expect(await records()).toBe(before + SNAPSHOT_ROWS + MORE_ROWS);
    expect(await readCondition(stack.api, connector)).toEqual({
      state: 'running',
      snapshot: 'complete',
      error: null,
    });
  });

  it('is read by the connector of the stage that asked, not by another on the same database', async () => {
    const other = { project: deployment.project, stage: 'other' };
    await shareSource(stack.postgres.admin, other);
    // Each stage has a Kafka of its own; here they share one under other names.
    const config = {
      ...stackConfig(stack, other),
      'topic.prefix': 'other',
      'notification.sink.topic.name': 'other.notification',
      'snapshot.mode': 'no_data',
    };
    await capture(stack, config, connectorName(other));
    const before = await records();
    expect((await snapshot('id <= 100', other, 'other.notification')).end).toEqual(WHOLE);
    expect(await records('other.public.notes')).toBe(100);

    // A signal of its own, behind the other's in the log.
    expect((await snapshot('id <= 10')).end).toEqual(WHOLE);
    expect(await records()).toBe(before + 10);
    expect(await records('other.public.notes')).toBe(100);
    expect(await removeConnector(stack.api, connectorName(other), BOUND_MS)).toBe(true);
  });
});

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
      const [slot] = await query(
        stack.postgres.admin,
        "SELECT active FROM pg_replication_slots WHERE slot_name = 'children_test'",
      );
      return slot?.['active'] === false;
    });
    expect(await removeConnector(stack.api, connector, BOUND_MS)).toBe(false);
  });
});
