import { describe, expect, it } from '@jest/globals';
import { compare, NO_DIFFERENCE } from '../../e2e/oracle.ts';

const ROWS = [
  ['1', 'a'],
  ['2', null],
];

describe('the comparison of two sets of rows', () => {
  it('finds none between the same rows in another order', () => {
    expect(compare(ROWS, [...ROWS].reverse())).toEqual(NO_DIFFERENCE);
  });

  it('finds a row that is missing, one too many, and one that differs', () => {
    expect(
      compare(
        [...ROWS, ['3', 'c']],
        [
          ['1', 'a'],
          ['2', ''],
          ['4', 'd'],
        ],
      ),
    ).toEqual({
      missing: ['["3","c"]'],
      extra: ['["4","d"]'],
      different: [{ source: '["2",null]', lake: '["2",""]' }],
    });
  });

  it('finds a key that comes twice, even with the same values', () => {
    expect(compare(ROWS, [...ROWS, ['1', 'a']]).extra).toEqual(['["1","a"]']);
  });
});
