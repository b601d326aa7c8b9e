import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readEnvelope } from '../../../../functions/cdc/envelope.ts';
import { UnreadableRecord } from '../../../../functions/cdc/unreadable-record.ts';
import { recordedEvents } from '../../../recorded-events.ts';

const payloads = [
  'users',
  'products',
  'orders',
  'every-type',
  'unchanged-out-of-line',
  'keyless-and-truncate',
  'placeholder-typed-by-user',
  'other-settings',
]
  .flatMap(recordedEvents)
  .flatMap(({ value }) => (value === null ? [] : [payloadOf(value)]));

const update = payloadOf(recordedEvents('orders').find(({ offset }) => offset === '5')?.value as string);

function payloadOf(value: string): string {
  return value.slice(value.indexOf('"payload":') + '"payload":'.length, -1);
}

function outcome(text: string): unknown {
  try {
    return readEnvelope(text);
  } catch (error) {
    expect(error).toBeInstanceOf(UnreadableRecord);
    return (error as UnreadableRecord).code;
  }
}

/** White space that JSON doesn't mind, but Debezium never writes: the text is then parsed whole. */
function inAnotherLayout(text: string): string {
  return ` ${text} `;
}

function expectSameInAnyLayout(text: string): void {
  expect([text, outcome(text)]).toEqual([text, outcome(inAnotherLayout(text))]);
}

describe('an envelope', () => {
  it('reads the same in its usual layout and in any other, for everything recorded', () => {
    expect(payloads.length).toBeGreaterThan(40);
    for (const payload of payloads) expectSameInAnyLayout(payload);
  });

  it.each([
    ['a larger LSN than 2^53', '"lsn":32171424', '"lsn":18446744073709551557'],
    ['a larger LSN than 64 bits', '"lsn":32171424', '"lsn":184467440737095515570'],
    ['a leading zero', '"lsn":32171424', '"lsn":032171424'],
    ['a negative LSN', '"lsn":32171424', '"lsn":-1'],
    ['a fraction', '"lsn":32171424', '"lsn":1.0'],
    ['an exponent', '"txId":765', '"txId":1e3'],
    ['no LSN', '"lsn":32171424', '"lsn":null'],
    ['no transaction', /"transaction":\{[^}]*\}/, '"transaction":null'],
    ['a transaction without an order', '"total_order":1,', ''],
    ['no sequence', /"sequence":"[^,]*,[^,]*"/, '"sequence":null'],
    ['a sequence of two nulls', /"sequence":"[^,]*,[^,]*\]"/, '"sequence":"[null,null]"'],
    ['a sequence of numbers', /"sequence":"[^,]*,[^,]*\]"/, '"sequence":"[1,2]"'],
    ['a snapshot', '"snapshot":null', '"snapshot":"last"'],
    ['a snapshot that is none', '"snapshot":null', '"snapshot":"false"'],
    ['an escaped snapshot', '"snapshot":null', '"snapshot":"la\\u0073t"'],
    ['a control character', '"snapshot":null', '"snapshot":"la\u0001st"'],
    ['a time before 1970', /"ts_us":\d+/, '"ts_us":-1'],
    ['a time of one microsecond', /"ts_us":\d+/, '"ts_us":1'],
    ['the largest exact time', /"ts_us":\d+/, '"ts_us":9007199254740991'],
    ['a time beyond it', /"ts_us":\d+/, '"ts_us":9007199254740993'],
    ['a time that is a text', /"ts_us":\d+/, '"ts_us":"1"'],
    ['an unknown operation', '"op":"u"', '"op":"m"'],
    ['an operation without its image', '"op":"u"', '"op":"d"'],
    ['an operation of two letters', '"op":"u"', '"op":"uu"'],
    ['no row', /"after":\{.*?\},"source"/, '"after":null,"source"'],
    ['a row that is broken', '"quantity":1', '"quantity":'],
    ['a row with a column named source', '"quantity":1', '"source":{"version":"1"}'],
    ['a text that looks like the source', '"status":"paid"', '"status":",\\"source\\":{\\"version\\":"'],
    ['another operation before the row', '{"before":null', '{"op":"c","before":null'],
    ['another source before the row', '{"before":null', '{"source":{"version":"1","lsn":1},"before":null'],
    ['only a comma before the source', /^.*,"source"/, '{,"source"'],
    ['nothing before the source', /^.*,"source"/, '{"source"'],
    ['a member behind the last', /\}$/, ',"more":1}'],
    ['text behind the end', /\}$/, '}x'],
    ['a brace too many', /\}$/, '}}'],
    ['a brace too few', /\}$/, ''],
    ['a newer Debezium with another field', '"xmin":null', '"xmin":null,"pos":5'],
  ])('reads the same in any layout with %s', (_what, from, to) => {
    const changed = update.replace(from, to);
    expect(changed).not.toBe(update);
    expectSameInAnyLayout(changed);
  });

  it('reads the same in any layout when characters are changed, cut off or put in anywhere', () => {
    const character = fc.constantFrom(
      '"',
      '\\',
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      ' ',
      '0',
      '1',
      '-',
      '.',
      'e',
      'n',
      '\n',
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...payloads.filter(({ length }) => length < 3_000)),
        fc.nat(3_000),
        fc.nat(3),
        fc.array(character, { maxLength: 3 }),
        (payload, at, removed, added) => {
          const from = at % payload.length;
          expectSameInAnyLayout(payload.slice(0, from) + added.join('') + payload.slice(from + removed));
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it.each(['null', '[]', '1', '"text"', '{}', '{"source":1}', '{"source":[]}'])('is not %s', (text) => {
    expect(outcome(text)).toBe('no-envelope');
  });
});
