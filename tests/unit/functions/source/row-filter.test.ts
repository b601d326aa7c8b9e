import { describe, expect, it } from '@jest/globals';
import { rowFilter } from '../../../../functions/source/row-filter.ts';

describe('the filter of a backfill', () => {
  it('keeps both sides of an OR together beside the bounds that Debezium adds', () => {
    expect(`id > 10 AND ${rowFilter('a = 1 OR b = 2')}`).toBe('id > 10 AND (a = 1 OR b = 2\n)');
  });

  it('ends a comment before what follows', () => {
    const lines = `${rowFilter('a = 1 -- only these')} ORDER BY id`.split('\n');
    expect(lines).toEqual(['(a = 1 -- only these', ') ORDER BY id']);
  });

  it.each(["data ? 'key'", "name = 'it''s' AND data ?| array['a']"])(
    'refuses %s, for which Debezium would pass over the table',
    (condition) => {
      expect(() => rowFilter(condition)).toThrow(/question mark .* would be taken for a parameter/);
    },
  );

  it.each(["name = 'why?'", "name = 'it''s ?' AND id > 1"])(
    'takes the question mark in a text: %s',
    (condition) => {
      expect(rowFilter(condition)).toBe(`(${condition}\n)`);
    },
  );
});
