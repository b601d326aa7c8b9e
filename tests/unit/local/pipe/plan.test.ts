import { describe, expect, it } from '@jest/globals';
import { parseRegistry } from '../../../../functions/cdc/registry.ts';
import { pipePlans } from '../../../../local/pipe/plan.ts';

describe('the pipes of a registry', () => {
  it('are one a table and one for the transaction metadata, each with a group of its own', () => {
    const registry = parseRegistry('project: shop\nepoch: 1\ntables:\n  users:\n  sales.orders:\n');
    expect(pipePlans({ project: 'shop', stage: 'dev' }, registry)).toEqual([
      {
        table: 'public.users',
        topic: 'cdc.public.users',
        group: 'shop-dev-pipe-users',
        stream: 'shop-dev-users',
      },
      {
        table: 'sales.orders',
        topic: 'cdc.sales.orders',
        group: 'shop-dev-pipe-sales--orders',
        stream: 'shop-dev-sales--orders',
      },
      {
        table: 'debezium.transaction',
        topic: 'cdc.transaction',
        group: 'shop-dev-pipe-debezium--transaction',
        stream: 'shop-dev-debezium--transaction',
      },
    ]);
  });
});
