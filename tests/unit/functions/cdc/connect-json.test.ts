import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ConnectJsonReader } from '../../../../functions/cdc/connect-json.ts';
import { UnreadableRecord } from '../../../../functions/cdc/unreadable-record.ts';
import { recordedEvents } from '../../../recorded-events.ts';

const TOPIC = 'cdc.public.orders';
const take = {
  schema: (schema: unknown) => JSON.stringify(schema),
  payload: (text: string): unknown => JSON.parse(text),
};

/** What a reader makes of a value: the result, or the reason why there is none. */
function outcome(reader: ConnectJsonReader<string, unknown>, base64: string): unknown {
  try {
    return reader.read(TOPIC, base64);
  } catch (error) {
    expect(error).toBeInstanceOf(UnreadableRecord);
    const { code, message } = error as UnreadableRecord;
    return { code, message };
  }
}

function base64(text: string | Buffer): string {
  return Buffer.from(text as string).toString('base64');
}

/** Reads `values` with one reader, which knows the prefix of the one before, and each with a fresh one. */
function expectSameAsFresh(values: string[]): void {
  const remembering = new ConnectJsonReader(take);
  for (const value of values) {
    expect(outcome(remembering, value)).toEqual(outcome(new ConnectJsonReader(take), value));
  }
}

const recorded = [
  'users',
  'products',
  'orders',
  'every-type',
  'keyless-and-truncate',
  'placeholder-typed-by-user',
]
  .flatMap(recordedEvents)
  .flatMap(({ key, value }) => [key, value])
  .filter((text) => text !== null);

describe('a value of the JSON converter', () => {
  it('is read with the exact text of its payload', () => {
    const text = '{"schema":{"type":"struct"},"payload":{"lsn":9223372036854775807,"x":1.50,"s":"\\u00e9é"}}';
    const reader = new ConnectJsonReader(take);
    for (const turn of ['parsed whole', 'with its prefix known']) {
      expect([turn, reader.read(TOPIC, base64(text))]).toEqual([
        turn,
        {
          schema: '{"type":"struct"}',
          payload: { lsn: 2 ** 63, x: 1.5, s: 'éé' },
          text: '{"lsn":9223372036854775807,"x":1.50,"s":"\\u00e9é"}',
          bytes: 51,
        },
      ]);
    }
  });

  it('has its schema read once for as long as the prefix stays the same', () => {
    let reads = 0;
    const reader = new ConnectJsonReader({ ...take, schema: () => ++reads });
    const orders = recordedEvents('orders').flatMap(({ value }) => value ?? []);
    for (const value of orders) reader.read(TOPIC, base64(value));
    expect(orders.length).toBeGreaterThan(10);
    expect(reads).toBe(1);
  });

  it('reads the same whether its prefix is known or not, for everything recorded', () => {
    expectSameAsFresh(recorded.map(base64));
    expectSameAsFresh(recorded.toReversed().map(base64));
  });

  it.each([
    ['a schema parameter named payload', '{"schema":{"p":{"payload":"x"}},"payload":{"a":1}}'],
    ['a payload inside the payload', '{"schema":{},"payload":{"payload":{"b":1}}}'],
    [
      'a text that looks like the payload',
      '{"schema":{"doc":"\\"payload\\":{"},"payload":{"a":"\\"payload\\":"}}',
    ],
    ['white space before the payload', '{"schema":{}, "payload": {"a":1}}'],
    ['white space behind the payload', '{"schema":{},"payload":{"a":1} }'],
    ['white space behind the envelope', '{"schema":{},"payload":{"a":1}}\n'],
    ['the payload first', '{"payload":{"a":1},"schema":{}}'],
    ['a member behind the payload', '{"schema":{},"payload":{"a":1},"more":{}}'],
    ['another schema behind the payload', '{"schema":{},"payload":{"a":1},"schema":{"other":1}}'],
    ['a second payload', '{"schema":{},"payload":{"a":1},"payload":{"a":2}}'],
    ['an escaped name', '{"schema":{},"p\\u0061yload":{"a":1}}'],
    ['a payload that is no object', '{"schema":{},"payload":"}}"}'],
    ['a null payload', '{"schema":{},"payload":null}'],
    ['a brace too few', '{"schema":{},"payload":{"a":1}'],
    ['a brace too many', '{"schema":{},"payload":{"a":1}}}'],
    ['a broken payload', '{"schema":{},"payload":{"a":}}'],
    ['a control character in a text', '{"schema":{},"payload":{"a":"\u0001"}}'],
    ['nothing behind the prefix', '{"schema":{},"payload":'],
    ['only the closing braces', '{"schema":{},"payload":}}'],
    ['letters beyond ASCII in the schema', '{"schema":{"field":"größe 漢字"},"payload":{"a":"ü"}}'],
    ['no schema', '{"payload":{"a":1}}'],
    ['no envelope', '[1]'],
    ['nothing', ''],
  ])('reads the same with %s, whatever came before', (_what, text) => {
    const plain = '{"schema":{},"payload":{"a":1}}';
    expectSameAsFresh([plain, text, plain, text, text].map(base64));
  });

  it('reads the same however long the prefix is, since base64 has groups of three bytes', () => {
    for (let length = 0; length < 9; length++) {
      const value = (payload: string) =>
        base64(`{"schema":{"x":"${'x'.repeat(length)}"},"payload":${payload}}`);
      expectSameAsFresh([value('{"a":1}'), value('{"b":2}'), value('{}'), value('[]'), value('{"c":"ü"}')]);
    }
  });

  it('reads the same when only the last bytes before the payload differ', () => {
    for (let length = 0; length < 3; length++) {
      const start = `{"schema":{"x":"${'x'.repeat(length)}"},"payload`;
      expectSameAsFresh(
        ['":{"a":1}}', '";{"a":1}}', '\\":{"a":1}}', '.:{"a":1}}', '": {"a":1}}'].map((end) =>
          base64(start + end),
        ),
      );
      expectSameAsFresh(['":{"a":1}}', '":', '"', '":{', '":{}', '":{}}'].map((end) => base64(start + end)));
    }
  });

  it('reads the same for bytes that are changed, cut off or put in anywhere', () => {
    const [first, second] = recordedEvents('keyless-and-truncate').flatMap(({ value }) => value ?? []);
    const bytes = Buffer.from(second as string);
    fc.assert(
      fc.property(
        fc.nat(bytes.length - 1),
        fc.nat(4),
        fc.uint8Array({ maxLength: 4 }),
        (at, removed, added) => {
          const changed = Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at + removed)]);
          expectSameAsFresh([base64(first as string), base64(changed), base64(second as string)]);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('reads the same for characters that are no base64', () => {
    const value = base64(recorded[0] as string);
    fc.assert(
      fc.property(fc.nat(value.length), fc.string({ maxLength: 3 }), (at, added) => {
        expectSameAsFresh([value, value.slice(0, at) + added + value.slice(at + 1), value]);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['invalid-base64', 'not base64!'],
    ['invalid-base64', 'QUJ'],
    ['invalid-json', base64('{"schema":')],
    ['invalid-json', base64(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]))],
    ['no-envelope', base64('{"ts_ms":1}')],
    ['no-envelope', base64('"text"')],
  ])('is refused as %s', (code, value) => {
    expect(outcome(new ConnectJsonReader(take), value)).toMatchObject({ code });
  });

  it('never says what is in it when it is refused', () => {
    const secret = outcome(new ConnectJsonReader(take), base64('{"schema":{},"payload":{"iban":DE00}'));
    expect(JSON.stringify(secret)).not.toContain('DE00');
  });

  it('is not remembered when its schema is refused', () => {
    let refuse = true;
    const schema = () => {
      if (refuse) throw new UnreadableRecord('schema-unreadable', 'refused');
      return 'read';
    };
    const reader = new ConnectJsonReader({ ...take, schema });
    const value = base64('{"schema":{},"payload":{"a":1}}');
    expect(() => reader.read(TOPIC, value)).toThrow('refused');
    expect(() => reader.read(TOPIC, value)).toThrow('refused');
    refuse = false;
    expect(reader.read(TOPIC, value).schema).toBe('read');
  });
});
