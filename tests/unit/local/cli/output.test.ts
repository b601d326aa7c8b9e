import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { csv, duration, json, table } from '../../../../local/cli/output.ts';

const ROWS = {
  columns: ['name', 'n', 'note'],
  rows: [
    ['Ada', 1, null],
    ['Gr"ace', 20.5, { a: [1] }],
  ],
};

describe('rows', () => {
  it('stand in columns, numbers to the right', () => {
    const [, first, second] = table(ROWS).split('\n');
    expect(first?.trimEnd()).toBe(' Ada         1');
    expect(second?.trimEnd()).toBe(' Gr"ace   20.5   {"a":[1]}');
  });

  it('are CSV with quotes where they are needed and nothing for null', () => {
    expect(csv(ROWS)).toBe('name,n,note\nAda,1,\n"Gr""ace",20.5,"{""a"":[1]}"');
  });

  it('are JSON objects that keep null', () => {
    expect(JSON.parse(json(ROWS))).toEqual([
      { name: 'Ada', n: 1, note: null },
      { name: 'Gr"ace', n: 20.5, note: { a: [1] } },
    ]);
  });

  it('are a header alone when there are none', () => {
    const none = { columns: ['a', 'b'], rows: [] };
    expect(csv(none)).toBe('a,b');
    expect(json(none)).toBe('[]');
    // In bold where a terminal, or FORCE_COLOR, says so.
    expect(stripVTControlCharacters(table(none)).trim()).toMatch(/^a +b$/);
  });
});

describe('a duration', () => {
  it.each([
    [12.4, '12 ms'],
    [999, '999 ms'],
    [1_500, '1.5 s'],
    [59_949, '59.9 s'],
    [65_000, '1 min 05 s'],
    [119_800, '2 min 00 s'],
  ])('%s ms reads %s', (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});
