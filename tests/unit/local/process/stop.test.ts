import { describe, expect, it } from '@jest/globals';
import { stopWaves } from '../../../../local/process/stop.ts';

const waitsFor = (...names: string[]) => ({ stopAfter: names });

describe('the order in which children are stopped', () => {
  it('ends Connect before PostgreSQL and the broker, and the rest at once', () => {
    const waves = stopWaves({
      postgres: waitsFor('connect'),
      kafka: waitsFor('connect', 'pipe'),
      connect: waitsFor(),
      pipe: waitsFor(),
      spark: waitsFor(),
    });
    expect(waves).toEqual([
      ['connect', 'pipe', 'spark'],
      ['postgres', 'kafka'],
    ]);
  });

  it('follows a chain', () => {
    expect(stopWaves({ c: waitsFor('b'), b: waitsFor('a'), a: waitsFor() })).toEqual([['a'], ['b'], ['c']]);
  });

  it('does not wait for a child that is not there', () => {
    expect(stopWaves({ postgres: waitsFor('connect') })).toEqual([['postgres']]);
  });

  it('ends children that wait for each other, or for themselves, all the same', () => {
    expect(stopWaves({ a: waitsFor('b'), b: waitsFor('a'), c: waitsFor('c') })).toEqual([['c'], ['a', 'b']]);
  });
});
