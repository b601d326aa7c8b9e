import { describe, expect, it } from '@jest/globals';
import { readEvent } from '../../../../functions/source/event.ts';

describe('the event of the source function', () => {
  it.each([
    { action: 'prepare' },
    { action: 'signal', table: 'orders', condition: 'id > 10' },
    { action: 'stop-signal', table: 'public.orders' },
    { action: 'set-password', versionId: 'v2' },
  ])('may be %j', (event) => {
    expect(readEvent(event)).toEqual(event);
  });

  it.each([
    [{ action: 'drop' }, 'action: '],
    [{ action: 'signal' }, 'table: '],
    [{ action: 'signal', table: 'orders', condition: '' }, 'condition: '],
    [null, 'expected object'],
  ])('is refused with what it may be: %j', (event, mistake) => {
    expect(() => readEvent(event)).toThrow(mistake);
    expect(() => readEvent(event)).toThrow(
      /prepare, check, remove, signal, stop-signal, set-password, try-password/,
    );
  });
});
