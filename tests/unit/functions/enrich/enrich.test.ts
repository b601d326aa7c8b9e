import { describe, expect, it } from '@jest/globals';
import { ChangeEventReader } from '../../../../functions/cdc/change-event.ts';
import { RECORD_CAP_BYTES } from '../../../../functions/cdc/connector-config.ts';
import type { PipeKafkaRecord } from '../../../../functions/cdc/kafka-record.ts';
import { type EnrichContext, enrich } from '../../../../functions/enrich/enrich.ts';
import {
  MAX_PACK_BYTES,
  MAX_RESPONSE_BYTES,
  MAX_RESPONSE_PACKS,
} from '../../../../functions/enrich/pack-limits.ts';
import { PLACEHOLDER, pipeRecord, type RecordedEvent, recordedEvents } from '../../../recorded-events.ts';

const NOW = new Date('2026-11-23T08:25:00.000Z');

function context(): EnrichContext {
  return {
    epoch: 3,
    cluster: 'cluster-1',
    tables: new Set(['public.users', 'public.products', 'public.orders', 'public.scratch', 'public.no_key']),
    reader: new ChangeEventReader(PLACEHOLDER),
    now: NOW,
  };
}

function pipeRecords(name: string): PipeKafkaRecord[] {
  return recordedEvents(name).map(pipeRecord);
}

const [snapshotOrder] = recordedEvents('orders') as [RecordedEvent];

/** A snapshot row of orders whose notes have `length` letters. */
function order(offset: number, length: number, note = 'n'): PipeKafkaRecord {
  const value = (snapshotOrder.value as string).replace('"notes":null', `"notes":"${note.repeat(length)}"`);
  return pipeRecord({ ...snapshotOrder, offset: String(offset), value });
}

describe('a batch of one table', () => {
  const { response, spill, counts } = enrich(pipeRecords('orders'), context());

  it('becomes one pack that covers every offset', () => {
    expect(spill).toEqual([]);
    expect(response).toHaveLength(1);
    expect(response[0]).toMatchObject({
      pack: 1,
      epoch: 3,
      cluster: 'cluster-1',
      topic: 'cdc.public.orders',
      table: 'public.orders',
      partition: 0,
      from_offset: '0',
      to_offset: '18',
      landed_at: '2026-11-23T08:25:00.000Z',
      quarantined: [],
    });
    expect(response[0]?.columns).toContainEqual({
      name: 'total_amount',
      type: 'decimal(10,2)',
      encoding: 'decimal-string',
    });
  });

  it('keeps the order of the partition and leaves tombstones out', () => {
    expect(response[0]?.events.map(({ offset, op }) => `${offset}${op}`)).toEqual([
      '0r',
      '1r',
      '2c',
      '3c',
      '4c',
      '5u',
      '6d',
      '8c',
      '9d',
      '11c',
      '12u',
      '13u',
      '14r',
      '15r',
      '16r',
      '17r',
      '18r',
    ]);
  });

  it('is counted, with the lag of its oldest streamed change', () => {
    expect(counts).toEqual({
      records: 19,
      events: 17,
      tombstones: 2,
      quarantined: {},
      packs: 1,
      spilled: 0,
      lagMs: NOW.getTime() - Date.parse('2026-11-23T08:24:10.205Z'),
    });
  });

  it('gives the same however often its schema was seen before', () => {
    const seen = context();
    for (const turn of [1, 2, 3]) {
      expect([turn, enrich(pipeRecords('orders'), seen).response]).toEqual([turn, response]);
    }
  });
});

describe('a pack ends', () => {
  it('where the columns change', () => {
    const { response } = enrich(pipeRecords('users'), context());
    expect(response.map(({ from_offset, to_offset }) => [from_offset, to_offset])).toEqual([
      ['0', '2'],
      ['3', '3'],
    ]);
    expect(response.map(({ columns }) => columns.some(({ name }) => name === 'vip'))).toEqual([false, true]);
    expect(new Set(response.map(({ schema_id }) => schema_id)).size).toBe(2);
  });

  it('where offsets are missing, repeated or run backwards', () => {
    const records = [4, 5, 7, 8, 8, 9, 2].map((offset) => order(offset, 1));
    const { response } = enrich(records, context());
    expect(response.map(({ from_offset, to_offset }) => `${from_offset}-${to_offset}`)).toEqual([
      '4-5',
      '7-8',
      '8-9',
      '2-2',
    ]);
  });

  it('where another partition or topic begins, but not when their records alternate', () => {
    const records = [0, 1, 2].flatMap((offset) => [
      order(offset, 1),
      { ...order(offset + 100, 1), partition: '1' },
      pipeRecord(recordedEvents('products')[offset] as RecordedEvent),
    ]);
    const { response } = enrich(records, context());
    expect(response.map((pack) => [pack.table, pack.partition, pack.from_offset, pack.to_offset])).toEqual([
      ['public.orders', 0, '0', '2'],
      ['public.orders', 1, '100', '102'],
      ['public.products', 0, '0', '1'],
      ['public.products', 0, '2', '2'],
    ]);
  });

  it('before it grows beyond its limit, counted in bytes of UTF-8 with all escapes', () => {
    const records = Array.from({ length: 80 }, (_, offset) =>
      order(offset, 8_000, offset % 2 ? '漢' : '\\"'),
    );
    const { response, spill } = enrich(records, context());
    const sizes = response.map((pack) => Buffer.byteLength(JSON.stringify(pack)));
    expect(spill).toEqual([]);
    expect(sizes).toHaveLength(3);
    for (const size of sizes) expect(size).toBeLessThanOrEqual(MAX_PACK_BYTES);
    // One more event would not have fitted.
    expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThan(MAX_PACK_BYTES - 40_000);
  });
});

describe('offsets that carry no event', () => {
  it('are covered by a pack without columns when there are only tombstones', () => {
    const tombstones = pipeRecords('orders').filter(({ offset }) => offset === 7 || offset === 10);
    const { response } = enrich(tombstones, context());
    expect(
      response.map(({ from_offset, to_offset, schema_id, columns, events }) => [
        from_offset,
        to_offset,
        schema_id,
        columns,
        events,
      ]),
    ).toEqual([
      ['7', '7', null, [], []],
      ['10', '10', null, [], []],
    ]);
  });

  it('are covered by the pack of the events after them', () => {
    const { value: _, ...tombstone } = order(0, 1);
    const { response } = enrich([tombstone, order(1, 1)], context());
    expect(response).toHaveLength(1);
    expect(response[0]).toMatchObject({ from_offset: '0', to_offset: '1' });
    expect(response[0]?.columns.length).toBeGreaterThan(0);
  });
});

describe('the transaction topic', () => {
  it('is landed like a table, without columns', () => {
    const { response, counts } = enrich(pipeRecords('transaction'), context());
    expect(response).toHaveLength(1);
    expect(response[0]).toMatchObject({ table: 'debezium.transaction', schema_id: null, columns: [] });
    expect(response[0]?.events).toHaveLength(46);
    expect(counts.quarantined).toEqual({});
  });
});

describe('a record that can not be understood', () => {
  const broken = {
    ...order(1, 1),
    value: Buffer.from('{"schema":').toString('base64'),
    headers: [{ h: [1] }],
  };

  it('is quarantined with its reason and all of its bytes, inside the pack of its neighbours', () => {
    const { response, counts } = enrich([order(0, 1), broken, order(2, 1)], context());
    expect(response).toHaveLength(1);
    expect(response[0]?.events.map(({ offset }) => offset)).toEqual(['0', '2']);
    expect(response[0]?.quarantined).toEqual([
      {
        offset: '1',
        kafka_ts: snapshotOrder.timestamp,
        reason: { code: 'invalid-json', message: '10 characters that are not JSON' },
        key: '{"id":1}',
        raw_key: broken.key,
        raw_value: broken.value,
        headers: [{ h: [1] }],
      },
    ]);
    expect(counts.quarantined).toEqual({ 'invalid-json': 1 });
  });

  it.each<[string, string, Partial<PipeKafkaRecord>]>([
    ['invalid-base64', 'a value that is no base64', { value: '{"not":"base64"}' }],
    ['invalid-base64', 'a value that is no text', { value: 5 as unknown as string }],
    ['invalid-key', 'a key that is no base64', { key: '*' }],
    ['no-envelope', 'a value without schema', { value: Buffer.from('{"a":1}').toString('base64') }],
    ['topic-not-in-registry', 'a table that is not captured', { topic: 'cdc.public.secrets' }],
    ['topic-not-in-registry', 'a topic of something else', { topic: 'payments' }],
  ])('is %s with %s', (code, _what, difference) => {
    const { response } = enrich([{ ...order(0, 1), ...difference }], context());
    const [quarantined] = response[0]?.quarantined ?? [];
    expect(quarantined?.reason.code).toBe(code);
    for (const raw of [quarantined?.raw_key, quarantined?.raw_value]) {
      expect(Buffer.from(raw as string, 'base64').toString('base64')).toBe(raw);
    }
  });

  it('keeps the text that came instead of base64', () => {
    const { response } = enrich([{ ...order(0, 1), value: 'größe?' }], context());
    const raw = response[0]?.quarantined[0]?.raw_value as string;
    expect(Buffer.from(raw, 'base64').toString()).toBe('größe?');
  });

  it.each([
    ['valid base64', ''],
    ['not base64', '!'],
  ])('is quarantined up to the largest that the connector may produce, %s', (_what, flaw) => {
    const text = Buffer.alloc(RECORD_CAP_BYTES, 'x').toString('base64');
    const value = flaw + text.slice(flaw.length);
    const { spill } = enrich([{ ...order(0, 1), value }], context());
    const kept = spill[0]?.pack.quarantined[0]?.raw_value as string;
    expect(kept === (flaw === '' ? value : Buffer.from(value).toString('base64'))).toBe(true);
  });

  it('never makes it throw, not even one that meets a defect', () => {
    const value = (snapshotOrder.value as string).replaceAll(/"parameters":\{[^}]*\}/g, '"parameters":null');
    const { response } = enrich([pipeRecord({ ...snapshotOrder, value })], context());
    expect(response[0]?.quarantined[0]?.reason.code).toBe('unexpected');
  });
});

describe('what does not fit', () => {
  it('is spilled when a single record is larger than a pack', () => {
    const { response, spill, counts } = enrich([order(0, 1), order(1, 1_000_000), order(2, 1)], context());
    expect(response.map(({ from_offset }) => from_offset)).toEqual(['0', '2']);
    expect(spill.map(({ key }) => key)).toEqual([
      'landing/public.orders/2026/11/23/08/spill-cdc.public.orders-0-1-1-e3.json.gz',
    ]);
    expect(spill[0]?.pack.events[0]?.payload.length).toBeGreaterThan(1_000_000);
    expect(counts).toMatchObject({ packs: 3, spilled: 1 });
  });

  it('is spilled when the response is full, and the rest stays in order', () => {
    const records = Array.from({ length: 20 }, (_, offset) => order(offset, 400_000));
    const { response, spill } = enrich(records, context());
    expect(Buffer.byteLength(JSON.stringify(response))).toBeLessThanOrEqual(MAX_RESPONSE_BYTES);
    expect([...response, ...spill.map(({ pack }) => pack)].map(({ to_offset }) => Number(to_offset))).toEqual(
      [1, 3, 5, 7, 9, 11, 13, 15, 17, 19],
    );
  });

  it('is spilled beyond the bytes that the deployment allows a response', () => {
    const records = Array.from({ length: 4 }, (_, offset) => order(offset, 400_000));
    const { response, spill } = enrich(records, { ...context(), responseBytes: 996_147 });
    expect(response).toHaveLength(1);
    expect(spill).toHaveLength(1);
    expect(Buffer.byteLength(JSON.stringify(response))).toBeLessThanOrEqual(996_147);
  });

  it('is spilled beyond the number of records that Firehose takes at once', () => {
    const records = Array.from({ length: 520 }, (_, index) => order(index * 2, 1));
    const { response, spill } = enrich(records, context());
    expect(response).toHaveLength(MAX_RESPONSE_PACKS);
    expect(spill).toHaveLength(20);
  });

  it('is spilled under the same key by a retry, however much later', () => {
    const keyAt = (now: Date) => enrich([order(0, 1_000_000)], { ...context(), now }).spill[0]?.key;
    expect(keyAt(new Date('2026-11-25T03:00:00Z'))).toBe(keyAt(NOW));
  });

  it('has a key even when its Kafka timestamp is no time', () => {
    const { spill } = enrich([{ ...order(0, 1_000_000), timestamp: '9223372036854775807' }], context());
    expect(spill[0]?.key).toMatch(/^landing\/public\.orders\/1970\/01\/01\/00\/spill-/);
  });

  it('includes a large quarantined record, with all of its bytes', () => {
    const value = Buffer.alloc(1_200_000, 'x').toString('base64');
    const { spill } = enrich([{ ...order(0, 1), value }], context());
    expect(spill[0]?.pack.quarantined[0]?.raw_value).toBe(value);
  });
});

describe('a batch in which a new epoch begins', () => {
  const of = (epoch: string | null) => (record: PipeKafkaRecord) => ({
    ...record,
    headers: [...(record.headers ?? []), ...(epoch ? [{ 'cdc.epoch': [...Buffer.from(epoch)] }] : [])],
  });
  const records = pipeRecords('orders');
  const batch = [
    ...records.slice(0, 4).map(of('1')),
    ...records.slice(4, 9).map(of('2')),
    ...records.slice(9).map(of(null)),
  ];

  it('has packs of each: a record is of the epoch that it says, else of the deployed one', () => {
    const { response, counts } = enrich(batch, context());
    expect(response.map(({ epoch, from_offset, to_offset }) => [epoch, from_offset, to_offset])).toEqual([
      [1, '0', '3'],
      [2, '4', '8'],
      [3, '9', '18'],
    ]);
    expect(counts.records).toBe(records.length);
  });
});
