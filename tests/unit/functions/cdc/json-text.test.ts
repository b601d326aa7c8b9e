import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { memberSpans, parseExactly } from '../../../../functions/cdc/json-text.ts';

function members(text: string): Record<string, string> {
  return Object.fromEntries(
    [...memberSpans(text)].map(([key, { start, end }]) => [key, text.slice(start, end)]),
  );
}

describe('the members of a JSON text', () => {
  it('are found with every character of their values', () => {
    expect(members('{"a":1.50,"b":{"a":[1,{"c":"}"}]},"c":"x","d":null,"e":[]}')).toEqual({
      a: '1.50',
      b: '{"a":[1,{"c":"}"}]}',
      c: '"x"',
      d: 'null',
      e: '[]',
    });
  });

  it('may have white space around them, which is not part of a value', () => {
    expect(members(' {\n\t"a" : 1 ,\r\n "b" : { } } ')).toEqual({ a: '1', b: '{ }' });
  });

  it('may hold braces, quotes and backslashes in their texts', () => {
    expect(members('{"a":"\\"}{\\\\","b\\"":"\\\\\\"","c":"{"}')).toEqual({
      a: '"\\"}{\\\\"',
      'b"': '"\\\\\\""',
      c: '"{"',
    });
  });

  it('may have escaped names', () => {
    expect(members('{"\\u0061":1}')).toEqual({ a: '1' });
  });

  it('count once when repeated, the last one, as with JSON.parse', () => {
    expect(members('{"a":1,"a":2}')).toEqual({ a: '2' });
  });

  it('parse to what the whole text parses to', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.constantFrom(undefined, 1, '\t'),
        (object, indent) => {
          const text = JSON.stringify(object, null, indent);
          const parsed = Object.entries(members(text)).map(([key, value]) => [key, JSON.parse(value)]);
          expect(parsed).toEqual(Object.entries(JSON.parse(text)));
        },
      ),
    );
  });
});

describe('exact parsing', () => {
  it('keeps every digit of every number', () => {
    const text = '{"lsn":9223372036854775807,"list":[1.50,-0,1e400],"text":"12","flag":true,"none":null}';
    expect(parseExactly(text)).toEqual({
      lsn: '9223372036854775807',
      list: ['1.50', '-0', '1e400'],
      text: '12',
      flag: true,
      none: null,
    });
  });
});
