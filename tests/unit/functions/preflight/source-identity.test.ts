import { describe, expect, it } from '@jest/globals';
import {
  refusalOf,
  rememberedIdentity,
  type SourceIdentity,
  type SourceNow,
} from '../../../../functions/preflight/source-identity.ts';

const now: SourceNow = {
  system_identifier: '7312345678901234567',
  timeline: 1,
  lsn: '26724504',
  cluster: 'abc',
};
const last: SourceIdentity = { epoch: 1, ...now };
const silent: SourceNow = { system_identifier: null, timeline: null, lsn: null, cluster: null };

describe('the source of a run', () => {
  it('is accepted when nothing is known of it yet, or nothing has changed', () => {
    expect(refusalOf(undefined, now, 1)).toBeNull();
    expect(refusalOf(last, { ...now, lsn: '26724505' }, 1)).toBeNull();
    expect(refusalOf(last, now, 1)).toBeNull();
  });

  it.each([
    [
      'another database',
      { system_identifier: '7399' },
      'its system identifier was 7312345678901234567 and is 7399',
    ],
    ['another timeline', { timeline: 2 }, 'its timeline was 1 and is 2'],
    ['an LSN that went back', { lsn: '26724503' }, 'its LSN was 26724504 and is 26724503'],
    ['another cluster', { cluster: 'xyz' }, 'its id was abc and is xyz'],
  ])('is refused for %s, with what to do', (_what, change, told) => {
    const refusal = refusalOf(last, { ...now, ...change }, 1);
    expect(refusal).toContain(told);
    expect(refusal).toContain('Raise epoch in tables.yml from 1 to 2');
  });

  it('compares LSNs as numbers, beyond 2^53, not as text', () => {
    const far = { ...last, lsn: '9007199254740993' };
    expect(refusalOf(far, { ...now, lsn: '9007199254740992' }, 1)).toContain('went back');
    expect(refusalOf({ ...last, lsn: '9' }, { ...now, lsn: '10' }, 1)).toBeNull();
  });

  it('may be any in a higher epoch, and none in a lower one', () => {
    expect(refusalOf(last, { ...now, cluster: 'xyz', lsn: '1' }, 2)).toBeNull();
    expect(refusalOf({ ...last, epoch: 3 }, now, 2)).toContain('went back from 3 to 2');
  });

  it('is not refused for what can’t be learned now', () => {
    expect(refusalOf(last, silent, 1)).toBeNull();
  });

  it('keeps what was known of its epoch when it is silent, and forgets it in a new epoch', () => {
    expect(rememberedIdentity(last, silent, 1)).toEqual(last);
    expect(rememberedIdentity(last, silent, 2)).toEqual({ epoch: 2, ...silent });
    expect(rememberedIdentity(last, { ...silent, cluster: 'xyz' }, 2)).toEqual({
      epoch: 2,
      ...silent,
      cluster: 'xyz',
    });
  });
});
