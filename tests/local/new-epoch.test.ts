import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Kafka, type KafkaMessage, logLevel } from 'kafkajs';
import { epochOf, slotName } from '../../functions/cdc/connector-config.ts';
import { EPOCH_HEADER } from '../../functions/cdc/kafka-record.ts';
import { sourceConnection } from '../../functions/cdc/source-url.ts';
import { awaitSnapshot } from '../../functions/connector/apply.ts';
import { applyInEpoch } from '../../functions/connector/epoch.ts';
import { keepConnector } from '../../functions/connector/keep.ts';
import { RestartLimit } from '../../functions/connector/restart-limit.ts';
import { dropSlot } from '../../functions/connector/slot.ts';
import { withAdmin } from '../../local/kafka/broker.ts';
import { tail } from '../../local/process/log.ts';
import { removeState } from '../../local/state.ts';
import {
  capture,
  connector,
  createSource,
  deployment,
  query,
  SNAPSHOT_ROWS,
  type Stack,
  stackConfig,
  startStack,
} from './stack.ts';

const BOUND_MS = 120_000;
const TOPIC = 'cdc.public.notes';
const root = mkdtempSync(join(tmpdir(), 'cdc-new-epoch-'));
const slot = slotName(deployment);
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
  removeState(root);
  rmSync(root, { recursive: true, force: true });
});

const drop = () => dropSlot(sourceConnection(stack.postgres.admin), slot);
const raised = (epoch: number) => stackConfig(stack, deployment, epoch);

/** Epochs that the records of a topic say, in order, each with how many records follow each other in it. */
async function epochsIn(topic: string): Promise<[string, number][]> {
  const runs: [string, number][] = [];
  for (const { headers } of await messages(topic)) {
    const epoch = String(headers?.[EPOCH_HEADER]);
    const last = runs.at(-1);
    if (last?.[0] === epoch) last[1] += 1;
    else runs.push([epoch, 1]);
  }
  return runs;
}

async function messages(topic: string): Promise<KafkaMessage[]> {
  const [end] = await withAdmin(stack.broker, (admin) => admin.fetchTopicOffsets(topic));
  const read: KafkaMessage[] = [];
  const consumer = new Kafka({ brokers: [stack.broker], logLevel: logLevel.NOTHING }).consumer({
    groupId: `new-epoch-${process.hrtime.bigint()}`,
  });
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({ eachMessage: async ({ message }) => void read.push(message) });
    await until(`all of ${topic}`, async () => read.length >= Number(end?.high));
  } finally {
    await consumer.disconnect();
  }
  return read;
}

async function until(what: string, happened: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + BOUND_MS; !(await happened()); await pause(50)) {
    if (Date.now() > deadline) {
      throw new Error(`${what}: not within ${BOUND_MS / 1000} s\n${tail(join(root, 'logs', 'connect.log'))}`);
    }
  }
}

/** As when the server has thrown the slot away: nobody can read on where the connector was. */
async function loseSlot(): Promise<void> {
  await query(
    stack.postgres.admin,
    `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '${slot}' AND active`,
  );
  await drop();
}

describe('a new epoch', () => {
  it('is said by every record, also of transactions', async () => {
    expect(await epochsIn(TOPIC)).toEqual([['1', SNAPSHOT_ROWS]]);
    await query(stack.postgres.admin, "INSERT INTO notes (text) VALUES ('streamed')");
    await until('the change', async () => (await epochsIn(TOPIC))[0]?.[1] === SNAPSHOT_ROWS + 1);
    await until('its transaction', async () => (await epochsIn('cdc.transaction')).length > 0);
    expect(new Set((await epochsIn('cdc.transaction')).map(([epoch]) => epoch))).toEqual(new Set(['1']));
  });

  it('is not begun by who keeps the connector, for that would be a snapshot that nobody asked for', async () => {
    const kept = await keepConnector(stack.api, connector, raised(2), new RestartLimit(6));
    expect(kept).toMatchObject({ applied: 'unchanged', condition: { state: 'running' } });
  });

  it('is not begun with settings that the connector refuses: the old one runs on', async () => {
    const refused = { ...raised(2), 'max.batch.size': 'many' };
    await expect(applyInEpoch(stack.api, connector, refused, drop)).rejects.toThrow('max.batch.size');
    expect(epochOf((await stack.api.config(connector)) as Record<string, string>)).toBe(1);
    expect((await stack.api.status(connector))?.connector.state).toBe('RUNNING');
  });

  it('follows a lost slot in the same topics, also when its beginning was broken off', async () => {
    await loseSlot();
    await query(stack.postgres.admin, "INSERT INTO notes (text) VALUES ('seen by nobody')");
    const killed = () => Promise.reject(new Error('killed'));
    await expect(applyInEpoch(stack.api, connector, raised(2), killed)).rejects.toThrow('killed');
    await drop();
    await stack.api.deleteOffsets(connector);

    expect(await applyInEpoch(stack.api, connector, raised(2), drop)).toBe('created');
    await awaitSnapshot(stack.api, connector, { withinMs: BOUND_MS, restarts: 0 });

    expect((await epochsIn(TOPIC)).at(-1)).toEqual(['2', SNAPSHOT_ROWS + 2]);
    expect((await epochsIn(TOPIC)).map(([epoch]) => epoch)).toEqual(['1', '2']);
    expect((await epochsIn('cdc.transaction')).map(([epoch]) => epoch)).toEqual(['1', '2']);
  });

  it('drops a slot that the old connector has left intact, too, and snapshots anew', async () => {
    expect(await applyInEpoch(stack.api, connector, raised(3), drop)).toBe('created');
    await awaitSnapshot(stack.api, connector, { withinMs: BOUND_MS, restarts: 0 });
    expect((await epochsIn(TOPIC)).at(-1)).toEqual(['3', SNAPSHOT_ROWS + 2]);
  });

  it('is not left again when the deployment is rolled back', async () => {
    const before = await stack.api.config(connector);
    expect(epochOf(before as Record<string, string>)).toBe(3);
    const old = { ...raised(1), 'poll.interval.ms': '100' };
    expect(await applyInEpoch(stack.api, connector, old, drop)).toBe('unchanged');
    expect(await stack.api.config(connector)).toEqual(before);
  });
});

describe('the slot of an old epoch', () => {
  it('is not dropped while somebody reads it', async () => {
    await until('the connector reads it', async () => {
      const slots = await query(stack.postgres.admin, 'SELECT active FROM pg_replication_slots');
      return slots[0]?.['active'] === true;
    });
    await expect(dropSlot(sourceConnection(stack.postgres.admin), slot, 300)).rejects.toThrow(
      `The replication slot ${slot} is in use by process`,
    );
    expect(await dropSlot(sourceConnection(stack.postgres.admin), 'no_slot')).toBe(false);
  });
});
