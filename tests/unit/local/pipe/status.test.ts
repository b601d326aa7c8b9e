import { describe, expect, it } from '@jest/globals';
import { lagOf } from '../../../../local/pipe/status.ts';

describe('the lag of a pipe', () => {
  it('counts what is in no closed file, over all partitions', () => {
    expect(
      lagOf({ end: { 0: '10', 1: '4' }, committed: { 0: '7', 1: '4' }, position: { 0: '9', 1: '4' } }),
    ).toBe(3);
  });

  it('counts from the position, else from the beginning, before the first commit', () => {
    expect(lagOf({ end: { 0: '10' }, committed: {}, position: { 0: '4' } })).toBe(6);
    expect(lagOf({ end: { 0: '10' }, committed: {}, position: {} })).toBe(10);
  });

  it('is never below zero: an end may be older than a commit', () => {
    expect(lagOf({ end: { 0: '10' }, committed: { 0: '12' }, position: {} })).toBe(0);
  });
});
