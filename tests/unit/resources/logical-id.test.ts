import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lakeName, tableId } from '../../../functions/cdc/names.ts';
import { logicalId } from '../../../resources/logical-id.ts';

const identifier = fc.stringMatching(/^[a-z_][a-z0-9_]{0,6}$/);
const table = fc
  .tuple(fc.constantFrom('public', 'sales', 'sales_eu'), identifier)
  .map(([schema, name]) => `${schema}.${name}`);

describe('the logical id of a table’s resource', () => {
  it.each([
    ['public.users', 'TopicUsers'],
    ['public.order_lines', 'TopicOrderLines'],
    ['debezium.transaction', 'TopicDebeziumTransaction'],
  ])('of %s is %s', (id, expected) => {
    expect(logicalId('Topic', id)).toBe(expected);
  });

  it.each([
    ['public.a_1', 'public.a1'],
    ['sales.orders', 'public.sales_orders'],
    ['public.debezium_transaction', 'debezium.transaction'],
    ['public._users', 'public.users'],
  ])('tells %s from %s', (one, other) => {
    expect(logicalId('Topic', one)).not.toBe(logicalId('Topic', other));
  });

  it.each(['role', 'log_group', 'security_group'])(
    'leaves the ids of single resources to them when a table is called %s',
    (name) => {
      expect(logicalId('Pipe', tableId(name))).toMatch(/^Pipe(Role|LogGroup|SecurityGroup)[0-9a-f]{6}$/);
    },
  );

  it('is letters and digits, and two tables share one only when they share their lake table', () => {
    fc.assert(
      fc.property(table, table, (one, other) => {
        const ids = [logicalId('Topic', one), logicalId('Topic', other)];
        for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9]+$/);
        expect(ids[0] === ids[1]).toBe(lakeName(one) === lakeName(other));
      }),
    );
  });
});
