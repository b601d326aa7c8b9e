import { describe, expect, it } from '@jest/globals';
import { assertSums, parseSums } from '../../../../local/setup/jars.ts';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);

describe('the sums of the jars', () => {
  it('are read as sha256sum writes them, names with blanks included', () => {
    expect(parseSums(`${A}  kafka/one.jar\n${B}  spark/two 2.jar\n`)).toEqual(
      new Map([
        ['kafka/one.jar', A],
        ['spark/two 2.jar', B],
      ]),
    );
  });

  it('must all be right', () => {
    const known = new Map([['kafka/one.jar', A]]);
    expect(() => assertSums(known, new Map(known))).not.toThrow();
  });

  it('are named with what is wrong: missing, unknown and different files', () => {
    const known = new Map([
      ['a.jar', A],
      ['b.jar', A],
    ]);
    const found = new Map([
      ['b.jar', B],
      ['c.jar', A],
    ]);
    const check = () => assertSums(known, found);
    expect(check).toThrow('a.jar is missing');
    expect(check).toThrow(`b.jar has sum ${B}, not ${A}`);
    expect(check).toThrow('c.jar is not in the list');
  });
});
