import { describe, expect, it } from '@jest/globals';
import { readEvent } from '../../../../functions/events/event.ts';

const tables = ['public.orders', 'debezium.transaction'];

describe('the event of the events function', () => {
  it('asks for the changes of a table', () => {
    expect(readEvent({ table: 'orders' }, tables)).toEqual({
      table: 'public.orders',
      from: 'end',
      limit: 100,
      waitMs: 5_000,
    });
  });

  it('asks how the snapshot of a signal ended', () => {
    const event = { action: 'snapshot-end', signal: 's1' };
    expect(readEvent(event, tables)).toEqual(event);
  });

  it.each([
    [{ table: 'users' }, 'not captured; use one of public.orders, debezium.transaction'],
    [{ table: 'orders', limit: 0 }, 'limit: '],
    [{ action: 'snapshot-start', signal: 's1' }, 'the only action is snapshot-end'],
    [{ action: 'snapshot-end' }, 'signal: '],
    [null, 'expected object'],
  ])('is refused with what is wrong: %j', (event, mistake) => {
    expect(() => readEvent(event, tables)).toThrow(mistake);
  });
});
