import { describe, expect, it } from '@jest/globals';
import { readEvent } from '../../../../functions/connector/event.ts';

describe('the event of the connector function', () => {
  it("may carry the message keys of the source function's answer", () => {
    const messageKeys = { 'public.many': ['code', 'unit'] };
    expect(readEvent({ action: 'apply', messageKeys })).toEqual({ action: 'apply', messageKeys });
    expect(readEvent({ action: 'apply' })).toEqual({ action: 'apply', messageKeys: {} });
    // CloudFormation's attributes are texts.
    expect(readEvent({ action: 'keep', messageKeys: JSON.stringify(messageKeys) })).toEqual({
      action: 'keep',
      messageKeys,
    });
  });

  it.each([
    [
      'an action that is none',
      { action: 'delete' },
      'action: use one of apply, keep, restart, status, snapshot-state, remove',
    ],
    ['no event', null, 'expected object'],
    ['no LSN', { action: 'snapshot-state', after: '0/16B3748' }, 'after: must be an LSN as a decimal'],
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
