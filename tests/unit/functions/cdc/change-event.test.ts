import { describe, expect, it } from '@jest/globals';
import { ChangeEventReader, type ReadEvent } from '../../../../functions/cdc/change-event.ts';
import type { PackEvent } from '../../../../functions/cdc/pack.ts';
import { UnreadableRecord } from '../../../../functions/cdc/unreadable-record.ts';
import { PLACEHOLDER, pipeRecord, type RecordedEvent, recordedEvents } from '../../../recorded-events.ts';

function read(recorded: RecordedEvent): ReadEvent {
  return new ChangeEventReader(PLACEHOLDER).read(pipeRecord(recorded));
}

function recorded(name: string, offset: string, topic?: string): RecordedEvent {
  const found = recordedEvents(name).find(
    (r) => r.offset === offset && (topic === undefined || r.topic === topic),
  );
  if (found === undefined) throw new Error(`no offset ${offset} in ${name}`);
  return found;
}

function event(name: string, offset: string, topic?: string): PackEvent {
  return read(recorded(name, offset, topic)).event;
}

/** The recorded event with its payload's text changed. */
function changed(base: RecordedEvent, from: string | RegExp, to: string): RecordedEvent {
  const value = (base.value as string).replace(from, to);
  if (value === base.value) throw new Error(`${from} does not occur`);
  return { ...base, value };
}

const update = recorded('orders', '5');

describe('a change event', () => {
  it('carries its position, its key and the exact payload', () => {
    const { payload, ...rest } = read(update).event;
    expect(rest).toEqual({
      offset: '5',
      kafka_ts: '1795422250353',
      op: 'u',
      commit_lsn: '32171368',
      lsn: '32171424',
      tx_id: '765',
      tx_order: '1',
      source_ts: '2026-11-23T08:24:10.207139Z',
      snapshot: null,
      key: '{"id":2}',
      prior_key: null,
      unchanged: ['notes'],
    });
    expect(update.value).toBe(`${update.value?.split('"payload":')[0]}"payload":${payload}}`);
  });

  it('of the snapshot has no transaction order and, before the first commit, no commit LSN', () => {
    expect(event('orders', '0')).toMatchObject({
      op: 'r',
      commit_lsn: null,
      lsn: '32039632',
      tx_order: null,
      snapshot: 'first_in_data_collection',
    });
  });

  it('of an incremental snapshot takes its LSN from the sequence, for Debezium leaves lsn and txId null', () => {
    expect(event('orders', '14')).toMatchObject({
      op: 'r',
      commit_lsn: '32359064',
      lsn: '32359064',
      tx_id: null,
      tx_order: null,
      snapshot: 'incremental',
    });
  });

  it('of a key change names the prior key, under the LSN that its delete has too', () => {
    const [deleted, inserted] = [event('orders', '6'), event('orders', '8')];
    expect(deleted).toMatchObject({ op: 'd', key: '{"id":2}', prior_key: null, tx_order: '1' });
    expect(inserted).toMatchObject({ op: 'c', key: '{"id":20}', prior_key: '{"id":2}', tx_order: '2' });
    expect(inserted.lsn).toBe(deleted.lsn);
  });

  it('of TRUNCATE has no key and no row', () => {
    const { event: truncate, schema } = read(recorded('keyless-and-truncate', '1', 'cdc.public.scratch'));
    expect(truncate).toMatchObject({ op: 't', key: null, unchanged: [], lsn: '32179792', tx_order: '5' });
    expect(schema?.columns.map(({ name }) => name)).toEqual(['id', 'note']);
  });

  it('of a table without a key has none', () => {
    expect(event('keyless-and-truncate', '3', 'cdc.public.no_key_full')).toMatchObject({
      op: 'd',
      key: null,
    });
  });

  it('is no snapshot when other settings write "false"', () => {
    expect(event('other-settings', '2', 'cdc.public.users')).toMatchObject({ op: 'c', snapshot: null });
  });

  it('keeps every digit of 64-bit numbers', () => {
    const large = changed(
      changed(
        changed(update, '"lsn":32171424', '"lsn":18446744073709551557'),
        '"txId":765',
        '"txId":9007199254740993',
      ),
      '"total_order":1',
      '"total_order":9223372036854775807',
    );
    expect(read(large).event).toMatchObject({
      lsn: '18446744073709551557',
      tx_id: '9007199254740993',
      tx_order: '9223372036854775807',
      commit_lsn: '32171368',
      unchanged: ['notes'],
    });
    expect(read(recorded('every-type', '8')).event.payload).toContain('"c_bigint":9223372036854775807');
  });

  it('counts the bytes of its payload', () => {
    const unicode = read(recorded('orders', '13'));
    expect(unicode.event.payload).toContain('漢字');
    expect(unicode.payloadBytes).toBe(Buffer.byteLength(unicode.event.payload));
  });

  it('takes the time in ms where there are no microseconds', () => {
    const older = changed(update, /"ts_us":\d+,"ts_ns":\d+,"schema"/, '"schema"');
    expect(read(older).event.source_ts).toBe('2026-11-23T08:24:10.207000Z');
  });

  it.each([
    ['1970-01-01T00:00:00.000000Z', '0'],
    ['1969-12-31T23:59:59.999999Z', '-1'],
    ['2026-11-23T08:24:10.207000Z', '9007199254740993'],
  ])('has the time %s at %s us', (time, micros) => {
    expect(read(changed(update, /"ts_us":\d+/, `"ts_us":${micros}`)).event.source_ts).toBe(time);
  });
});

describe('transaction metadata', () => {
  it('has the transaction and the LSN from its id', () => {
    const { event: end, schema } = read(recorded('transaction', '1'));
    expect(end).toMatchObject({
      op: 'end',
      tx_id: '763',
      lsn: '32170456',
      commit_lsn: null,
      tx_order: null,
      key: '{"id":"763:32170456"}',
      source_ts: '2026-11-23T08:24:10.205000Z',
    });
    expect(JSON.parse(end.payload).event_count).toBe(2);
    expect(schema).toBeNull();
    expect(event('transaction', '0')).toMatchObject({ op: 'begin', tx_id: '763' });
  });

  it.each([
    ['unknown-op', '"status":"BEGIN"', '"status":"PAUSE"'],
    ['no-envelope', '"id":"763:32169696"', '"id":"763"'],
    ['no-envelope', /"payload":\{.*\}/, '"payload":null}'],
  ])('is refused as %s when %s becomes %s', (code, from, to) => {
    expect(() => read(changed(recorded('transaction', '0'), from, to))).toThrow(
      expect.objectContaining({ code }),
    );
  });
});

describe('a record that can not be read', () => {
  const payload = /"payload":\{"before":null.*$/s;

  it.each<[string, string | RegExp, string]>([
    ['unknown-op', '"op":"u"', '"op":"x"'],
    ['unknown-op', '"op":"u"', '"op":"m"'],
    ['unknown-op', '"op":"u"', '"op":null'],
    ['unknown-op', '"op":"u"', '"op":"toString"'],
    ['no-envelope', payload, '"payload":null}'],
    ['no-envelope', payload, '"payload":[]}'],
    ['no-envelope', payload, '"payload":{"op":"u"}}'],
    ['no-envelope', '"op":"u"', '"op":"d"'],
    ['no-envelope', /"after":\{[^}]*\}/, '"after":null'],
    ['no-envelope', /"after":\{[^}]*\}/, '"after":[]'],
    ['no-envelope', '"lsn":32171424', '"lsn":1.5'],
    ['no-envelope', '"lsn":32171424', '"lsn":-1'],
    ['no-envelope', '"lsn":32171424', '"lsn":{}'],
    ['no-envelope', '"txId":765', '"txId":true'],
    ['no-envelope', '\\"32171424\\"]', '32171424]'],
    ['schema-unreadable', '"field":"after"', '"field":"later"'],
  ])('is refused as %s when %s becomes %s', (code, from, to) => {
    const broken = changed(update, from, to);
    expect(() => read(broken)).toThrow(UnreadableRecord);
    expect(() => read(broken)).toThrow(expect.objectContaining({ code }));
  });

  it('is refused as invalid-key when only its key is broken', () => {
    expect(() => read({ ...update, key: '{"schema":' })).toThrow(
      expect.objectContaining({ code: 'invalid-key' }),
    );
  });

  it('is refused as invalid-base64 when its value is no text at all', () => {
    const reader = new ChangeEventReader(PLACEHOLDER);
    const value = 17 as unknown as string;
    expect(() => reader.read({ ...pipeRecord(update), value })).toThrow(
      expect.objectContaining({ code: 'invalid-base64' }),
    );
  });
});
