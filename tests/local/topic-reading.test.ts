import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ISocketFactory, Kafka, type KafkaMessage, logLevel } from 'kafkajs';
import { ChangeEventReader } from '../../functions/cdc/change-event.ts';
import { readTopic } from '../../functions/events/read-topic.ts';
import { shownRecord } from '../../functions/events/shown-record.ts';
import { startKafka } from '../../local/kafka/broker.ts';
import { tail } from '../../local/process/log.ts';
import { choosePorts } from '../../local/process/ports.ts';
import { Supervisor } from '../../local/process/supervisor.ts';
import { type OwnedState, ownState, removeState } from '../../local/state.ts';
import { PLACEHOLDER, recordedEvents } from '../recorded-events.ts';

const root = mkdtempSync(join(tmpdir(), 'cdc-topic-reading-'));
/** A request of Kafka's protocol: its size, then the key of its API (https://kafka.apache.org/protocol.html). */
const REQUEST_SIZE_BYTES = 4;
const JOIN_GROUP = 11;
const topic = 'cdc.public.orders';
const recorded = recordedEvents('orders');
const reader = new ChangeEventReader(PLACEHOLDER);
let state: OwnedState;
let supervisor: Supervisor;
let kafka: Kafka;
let address: string;

beforeAll(async () => {
  state = await ownState(root, () => {});
  supervisor = new Supervisor(state, () => {});
  const { broker, controller } = await choosePorts(['broker', 'controller'], {});
  ({ address } = await startKafka(supervisor, state, {
    broker: broker as number,
    controller: controller as number,
  }));
  kafka = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING });
  await createTopic(topic);
  await produce(topic, recorded.length);
});

afterAll(async () => {
  await supervisor?.stopAll();
  state?.release();
  await removeState(root);
  rmSync(root, { recursive: true, force: true });
});

async function createTopic(name: string): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: name, numPartitions: 1 }], waitForLeaders: true });
  await admin.disconnect();
}

async function produce(name: string, count: number): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  const messages = recorded.slice(0, count).map(({ key, value }) => ({ key, value }));
  await producer.send({ topic: name, messages: messages as never });
  await producer.disconnect();
}

const show = (partition: number, message: KafkaMessage) => shownRecord(reader, topic, partition, message);
const read = (request: Partial<Parameters<typeof readTopic>[2]>, client = kafka) =>
  readTopic(client, topic, { from: 'beginning', limit: 100, waitMs: 90_000, ...request }, show).catch(
    (error) => {
      throw new Error(`${error.message}\n${tail(join(root, 'logs', 'kafka.log'))}`, { cause: error });
    },
  );

describe('reading a topic for the command line', () => {
  it('goes on where it was when its consumer has to start again', async () => {
    let cuts = 0;
    const socketFactory: ISocketFactory = ({ host, port, onConnect }) => {
      const socket = connect({ host, port }, onConnect);
      const write = socket.write.bind(socket) as (data: Buffer) => boolean;
      // As a coordinator does that is not ready: the first consumer crashes at its first JoinGroup.
      socket.write = ((data: Buffer) => {
        if (data.readInt16BE(REQUEST_SIZE_BYTES) !== JOIN_GROUP || cuts > 0) return write(data);
        cuts += 1;
        socket.destroy(new Error('cut'));
        return false;
      }) as typeof socket.write;
      return socket;
    };
    const cut = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING, socketFactory });
    const { records } = await read({ from: { 0: '1' }, limit: 1 }, cut);
    expect(cuts).toBe(1);
    expect(records.map(({ offset }) => offset)).toEqual(['1']);
  });

  it('shows every change once, tombstones left out, and where to go on', async () => {
    const first = await read({ limit: 4 });
    const rest = await read({ from: first.next });
    expect(first.records).toHaveLength(4);
    const offsets = [...first.records, ...rest.records].map(({ offset }) => Number(offset));
    const changes = recorded.flatMap(({ value }, offset) => (value === null ? [] : [offset]));
    expect(offsets).toEqual(changes);
    expect(rest.next).toEqual({ 0: String(recorded.length) });
    expect(first.records[0]).toMatchObject({ event: { op: 'r', key: expect.stringContaining('"id"') } });
  });

  it('waits for what comes, and answers nothing when nothing does', async () => {
    const end = await read({ from: 'end', waitMs: 0 });
    expect(end).toEqual({ records: [], next: { 0: String(recorded.length) } });
    expect(await read({ from: end.next, waitMs: 500 })).toEqual(end);
    const waiting = read({ from: end.next });
    await produce(topic, 1);
    expect((await waiting).records.map(({ offset }) => offset)).toEqual([String(recorded.length)]);
  });

  it('takes an offset that the topic does not hold for the nearest that it does', async () => {
    const { records } = await read({ from: { 0: '999999' }, waitMs: 0 });
    expect(records).toEqual([]);
  });

  it('says that there is no such topic', async () => {
    const request = { from: 'beginning' as const, limit: 1, waitMs: 0 };
    await expect(readTopic(kafka, 'cdc.public.absent', request, show)).rejects.toThrow(/topic/i);
  });
});
