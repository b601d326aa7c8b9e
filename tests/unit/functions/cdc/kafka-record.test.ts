import { describe, expect, it } from '@jest/globals';
import {
  EPOCH_HEADER,
  epochOfRecord,
  headerText,
  NotAPipeBatch,
  pipeBatch,
} from '../../../../functions/cdc/kafka-record.ts';
import { pipeRecord, type RecordedEvent, recordedEvents } from '../../../recorded-events.ts';

const record = pipeRecord(recordedEvents('orders')[8] as RecordedEvent);

describe("a pipe's batch", () => {
  it('is an array of Kafka records, numbers given as numbers or as text', () => {
    const asText = { ...record, partition: '0', offset: '8', timestamp: '1795422250362' };
    expect(pipeBatch([record, asText])).toEqual([record, asText]);
    expect(pipeBatch([])).toEqual([]);
  });

  it.each([
    ['an object', { records: {} }],
    ['a text', 'records'],
    ['nothing', undefined],
    ['null', null],
  ])('is not %s', (_what, event) => {
    expect(() => pipeBatch(event)).toThrow(NotAPipeBatch);
  });

  it.each([
    ['is null', null],
    ['is a text', 'record'],
    ['has no topic', { ...record, topic: undefined }],
    ['has no partition', { ...record, partition: undefined }],
    ['has a broken partition', { ...record, partition: 1.5 }],
    ['has a negative offset', { ...record, offset: -1 }],
    ['has a broken offset', { ...record, offset: '1e5' }],
    ['has no timestamp', { ...record, timestamp: undefined }],
    ['has a broken timestamp', { ...record, timestamp: 'now' }],
  ])('has no element that %s', (_what, stray) => {
    expect(() => pipeBatch([record, stray])).toThrow(
      'element 1 has no topic, partition, offset and timestamp',
    );
  });
});

describe("a record's epoch", () => {
  const withEpoch = (text: string) => ({ ...record, headers: [{ [EPOCH_HEADER]: [...Buffer.from(text)] }] });

  it('is the number in its header', () => {
    expect(epochOfRecord(withEpoch('2'))).toBe(2);
    expect(epochOfRecord(withEpoch('17'))).toBe(17);
  });

  it.each(['', '0', '-1', '1.5', 'two', '1e3', '99999999999'])('is unknown by the header %j', (text) => {
    expect(epochOfRecord(withEpoch(text))).toBeUndefined();
  });

  it('is unknown without a header', () => {
    expect(epochOfRecord({ ...record, headers: [] })).toBeUndefined();
  });
});

describe('a header', () => {
  it('is its bytes as text, signed or not', () => {
    const signed = { ...record, headers: [{ note: [...new Int8Array(Buffer.from('größe'))] }] };
    expect(headerText(record, '__debezium.oldkey')).toBe('{"id":2}');
    expect(headerText(signed, 'note')).toBe('größe');
  });

  it.each([
    [undefined],
    [null],
    [[]],
    [{}],
    [[null]],
    [[{ other: [1] }]],
    [[{ '__debezium.oldkey': 'text' }]],
  ])('is absent from %j', (headers) => {
    expect(headerText({ ...record, headers: headers as never }, '__debezium.oldkey')).toBeNull();
  });
});
