import { describe, expect, it } from '@jest/globals';
import { ChangeEventReader } from '../../../../functions/cdc/change-event.ts';
import {
  DAYS,
  EVENT_OVERHEAD,
  KAFKA_OVERHEAD,
  TRANSACTION_EVENT,
  TRANSACTION_RECORD,
  trafficOf,
  type Workload,
} from '../../../../local/cost/traffic.ts';
import { PLACEHOLDER, pipeRecord, recordedEvents } from '../../../recorded-events.ts';

const WORKLOAD: Workload = {
  changesPerDay: 86_400,
  rowBytes: 500,
  changesPerTransaction: 4,
  jobMinutes: 2,
  maintenanceMinutes: 10,
  athenaGigabytes: 10,
};

function pipe(topic: string, windowSeconds = 0) {
  return { topic, batchRecords: 500, windowSeconds };
}

/** Bytes of recorded changes in Kafka and in a pack beside their rows, on average. */
function recordedOverheads(recording: string): { kafka: number; pack: number } {
  const reader = new ChangeEventReader(PLACEHOLDER);
  const sizes = recordedEvents(recording)
    .map(pipeRecord)
    .filter(({ value }) => value)
    .map((record) => {
      const { event } = reader.read(record);
      const { after } = JSON.parse(event.payload) as { after?: unknown };
      const row = after ? Buffer.byteLength(JSON.stringify(after)) : 0;
      const bytes = (base64: string | null | undefined) => Buffer.from(base64 ?? '', 'base64').length;
      const inKafka = bytes(record.value) + bytes(record.key);
      return { kafka: inKafka - row, pack: Buffer.byteLength(JSON.stringify(event)) - row };
    });
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  return { kafka: mean(sizes.map((s) => s.kafka)), pack: mean(sizes.map((s) => s.pack)) };
}

describe('the sizes that the estimate takes', () => {
  it('are those of recorded changes, within a tenth', () => {
    const own = ['orders', 'users', 'products'].map(recordedOverheads);
    const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    expect(KAFKA_OVERHEAD / mean(own.map(({ kafka }) => kafka))).toBeCloseTo(1, 0.7);
    expect(EVENT_OVERHEAD / mean(own.map(({ pack }) => pack))).toBeCloseTo(1, 0.7);
  });

  it('are those of recorded transaction records, within a tenth', () => {
    const { kafka, pack } = recordedOverheads('transaction');
    expect(TRANSACTION_RECORD / kafka).toBeCloseTo(1, 0.7);
    expect(TRANSACTION_EVENT / pack).toBeCloseTo(1, 0.7);
  });
});

describe('the traffic of a month', () => {
  it('spreads the changes over the tables, and has BEGIN and END of each transaction and heartbeat', () => {
    const [users, orders, transactions] = trafficOf(WORKLOAD, [
      pipe('cdc.public.users'),
      pipe('cdc.public.orders'),
      pipe('cdc.transaction'),
    ]);
    expect(users?.records).toBeCloseTo(43_200 * DAYS);
    expect(orders?.records).toBeCloseTo(43_200 * DAYS);
    expect(transactions?.records).toBeCloseTo(2 * (21_600 + 2_880) * DAYS);
  });

  it('gathers as many records in a batch as come while the window is open', () => {
    const [at0, at9] = [0, 9].map((window) => trafficOf(WORKLOAD, [pipe('cdc.public.users', window)])[0]);
    // One record a second: the first opens the window, nine follow.
    expect(at0?.batches).toBeCloseTo(86_400 * DAYS);
    expect(at9?.batches).toBeCloseTo(8_640 * DAYS);
  });

  it('closes a batch at the number of records or at 6 MB, whichever comes first', () => {
    const many = { ...WORKLOAD, changesPerDay: 1e9 };
    const [small] = trafficOf(many, [pipe('cdc.public.users', 60)]);
    expect((small?.records ?? 0) / (small?.batches ?? 1)).toBe(500);
    const [large] = trafficOf({ ...many, rowBytes: 100_000 }, [pipe('cdc.public.users', 60)]);
    expect((large?.records ?? 0) / (large?.batches ?? 1)).toBeLessThan(6e6 / 133_000);
  });

  it('bills Firehose 5 KB a pack at least, and a pack for many events once', () => {
    const [alone] = trafficOf(WORKLOAD, [pipe('cdc.public.users', 0)]);
    expect((alone?.firehoseBytes ?? 0) / (alone?.records ?? 1)).toBe(5 * 1024);
    const [packed] = trafficOf(WORKLOAD, [pipe('cdc.public.users', 60)]);
    expect((packed?.firehoseBytes ?? 0) / (packed?.records ?? 1)).toBeLessThan(1_500);
    expect(packed?.firehoseBytesUnpacked).toBe(alone?.firehoseBytes);
  });

  it('bills Pipes a request for every 64 KB of a batch', () => {
    const [traffic] = trafficOf({ ...WORKLOAD, rowBytes: 100_000 }, [pipe('cdc.public.users', 0)]);
    // (6,700 + 100,000) bytes as base64 are 142 kB: three times 64 KB.
    expect(traffic?.pipeRequests).toBeCloseTo(3 * 86_400 * DAYS);
  });

  it('refuses a template without a captured table', () => {
    expect(() => trafficOf(WORKLOAD, [pipe('cdc.transaction')])).toThrow('no pipe of a captured table');
  });
});
