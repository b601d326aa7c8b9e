import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { KafkaMessage } from 'kafkajs';
import type { PipeKafkaRecord } from '../../../../functions/cdc/kafka-record.ts';
import { pipeBatches, pipeRecord, RecordTooLarge } from '../../../../local/pipe/event.ts';

const source = {
  clusterArn: 'arn:aws:kafka:us-east-1:123456789012:cluster/cdc-demo-dev-kafka/abc',
  topic: 'cdc.public.orders',
  partition: 0,
};

function message(offset: number, more: Partial<KafkaMessage> = {}): KafkaMessage {
  return {
    offset: String(offset),
    timestamp: '1795408354338',
    key: Buffer.from('{"id":1}'),
    value: Buffer.from('{"payload":{}}'),
    attributes: 0,
    headers: {},
    ...more,
  } as KafkaMessage;
}

describe('the event of a pipe', () => {
  it('is a bare array, byte for byte', () => {
    const headers = { '__debezium.oldkey': Buffer.from('{}'), twice: [Buffer.from('a'), Buffer.from('b')] };
    const [batch] = pipeBatches(source, [message(17, { headers }), message(18, { value: null })]);
    expect(batch).toEqual({
      event:
        '[{"eventSource":"aws:kafka","eventSourceArn":"arn:aws:kafka:us-east-1:123456789012:cluster/cdc-demo-dev-kafka/abc",' +
        '"eventSourceKey":"cdc.public.orders-0","topic":"cdc.public.orders","partition":0,"offset":17,' +
        '"timestamp":1795408354338,"timestampType":"CREATE_TIME","key":"eyJpZCI6MX0=","value":"eyJwYXlsb2FkIjp7fX0=",' +
        '"headers":[{"__debezium.oldkey":[123,125]},{"twice":[97]},{"twice":[98]}]},' +
        '{"eventSource":"aws:kafka","eventSourceArn":"arn:aws:kafka:us-east-1:123456789012:cluster/cdc-demo-dev-kafka/abc",' +
        '"eventSourceKey":"cdc.public.orders-0","topic":"cdc.public.orders","partition":0,"offset":18,' +
        '"timestamp":1795408354338,"timestampType":"CREATE_TIME","key":"eyJpZCI6MX0=","headers":[]}]',
      records: 2,
      nextOffset: '19',
    });
  });

  it('holds each record as it is handed over alone', () => {
    const messages = [message(17, { headers: { twice: [Buffer.from('a'), Buffer.from('b')] } }), message(18)];
    const [batch] = pipeBatches(source, messages);
    expect(messages.map((each) => pipeRecord(source, each))).toEqual(JSON.parse(batch?.event ?? ''));
  });

  it('holds every record once and in order, within the limits', () => {
    const sizes = fc.array(fc.nat(400), { minLength: 1, maxLength: 40 });
    const limits = fc.record({
      records: fc.integer({ min: 1, max: 7 }),
      bytes: fc.integer({ min: 1_000, max: 3_000 }),
    });
    fc.assert(
      fc.property(sizes, limits, (lengths, limit) => {
        const messages = lengths.map((length, index) => message(index, { value: Buffer.alloc(length, 'x') }));
        const batches = [...pipeBatches(source, messages, limit)];
        const records = batches.flatMap(({ event }) => JSON.parse(event) as PipeKafkaRecord[]);
        expect(records.map(({ offset }) => offset)).toEqual(lengths.map((_, index) => index));
        for (const { event, records: count, nextOffset } of batches) {
          const held = JSON.parse(event) as PipeKafkaRecord[];
          expect(Buffer.byteLength(event)).toBeLessThanOrEqual(limit.bytes);
          expect(held.length).toBe(count);
          expect(count).toBeLessThanOrEqual(limit.records);
          expect(Number(nextOffset)).toBe(Number(held.at(-1)?.offset) + 1);
        }
      }),
    );
  });

  it('delivers what comes before a record that no pipe could deliver, and then says so', () => {
    const limits = { records: 500, bytes: 2_000 };
    const batches = pipeBatches(source, [message(1), message(2, { value: Buffer.alloc(2_000) })], limits);
    expect(batches.next().value).toMatchObject({ records: 1, nextOffset: '2' });
    expect(() => batches.next()).toThrow(RecordTooLarge);
    expect(() => [...pipeBatches(source, [message(2, { value: Buffer.alloc(2_000) })], limits)]).toThrow(
      /offset 2 of cdc.public.orders-0/,
    );
  });

  it('counts an offset beyond the doubles', () => {
    const [batch] = pipeBatches(source, [message(0, { offset: '9007199254740993' })]);
    expect(batch?.event).toContain('"offset":9007199254740993,');
    expect(batch?.nextOffset).toBe('9007199254740994');
  });
});
