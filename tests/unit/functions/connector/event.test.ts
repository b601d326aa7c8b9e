import { describe, expect, it } from '@jest/globals';
import { readEvent } from '../../../../functions/connector/event.ts';

describe('the event of the connector function', () => {
  it("may carry the message keys of the source function's answer", () => {
    const messageKeys = { 'public.many': ['code', 'unit'] };
    expect(readEvent({ action: 'apply', messageKeys })).toEqual({ action: 'apply', messageKeys });
    expect(readEvent({ action: 'apply' })).toEqual({ action: 'apply', messageKeys: {} });
  });

  it.each([
    ['an action that is none', { action: 'delete' }, 'action: use one of apply, restart, status'],
    ['no event', null, 'expected object'],
    [
      'a key without columns',
      { action: 'apply', messageKeys: { 'public.many': [] } },
      'messageKeys.public.many',
    ],
    [
      'keys in another form',
      { action: 'apply', messageKeys: 'code' },
      'must give the key columns by table id',
    ],
  ])('is refused with %s', (_what, event, mistake) => {
    expect(() => readEvent(event)).toThrow(mistake);
  });
});
