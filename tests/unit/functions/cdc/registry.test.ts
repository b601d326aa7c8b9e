import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { parseRegistry, RegistryError } from '../../../../functions/cdc/registry.ts';

function tables(entries: string): string {
  return `project: cdc_demo\nepoch: 1\ntables:\n${entries}`;
}

function mistakes(text: string): string {
  try {
    parseRegistry(text);
  } catch (error) {
    expect(error).toBeInstanceOf(RegistryError);
    return (error as Error).message;
  }
  throw new Error('the registry was accepted');
}

describe('the table registry', () => {
  it('of this project is valid', () => {
    const text = readFileSync(new URL('../../../../tables.yml', import.meta.url), 'utf8');
    const { project, epoch, tables } = parseRegistry(text);
    expect({ project, epoch }).toEqual({ project: 'cdc_demo', epoch: 1 });
    expect(tables.map(({ id }) => id)).toEqual(['public.users', 'public.products', 'public.orders']);
  });

  it('needs no more than a name for a table', () => {
    expect(parseRegistry(tables('  users:\n')).tables).toEqual([
      {
        id: 'public.users',
        schema: 'public',
        table: 'users',
        topic: 'cdc.public.users',
        key: null,
        partitions: 1,
        bronze: { partition: 'day' },
        silver: { bucket: null },
        reference: [],
        checks: { fail: [], warn: [] },
      },
    ]);
  });

  it('takes what an entry says', () => {
    const [, lines] = parseRegistry(
      tables(`  users: {key: [id]}
  sales.lines:
    key: [order_id, line]
    silver: {bucket: 16}
    reference: [{table: users, on: {user_id: id}, columns: {user_name: name}}]
    checks: {warn: [{name: large, where: "total > 1000", max: 5}]}
`),
    ).tables;
    expect(lines).toMatchObject({
      id: 'sales.lines',
      topic: 'cdc.sales.lines',
      key: ['order_id', 'line'],
      silver: { bucket: 16 },
      reference: [{ table: 'public.users', on: { user_id: 'id' }, columns: { user_name: 'name' } }],
      checks: { fail: [], warn: [{ name: 'large', where: 'total > 1000', max: 5 }] },
    });
  });

  it.each([
    ['text that is no YAML', 'tables: [', 'not valid YAML'],
    ['an empty file', '', 'file:'],
    [
      'a project that no database can be called',
      'project: My-Demo\nepoch: 1\ntables: {users: {}}',
      'project: must be',
    ],
    ['an epoch below 1', 'project: demo\nepoch: 0\ntables: {users: {}}', 'epoch: must be 1 or more'],
    ['no table at all', 'project: demo\nepoch: 1\ntables: {}', 'tables: must list at least one table'],
    ['an unknown field', tables('  users: {kee: [id]}'), 'tables.users: unknown field kee'],
    [
      'more partitions than rule 2 can take',
      tables('  users: {partitions: 3}'),
      'tables.users.partitions: must be 1',
    ],
    ['the reserved schema', tables('  debezium.signal: {}'), 'tables.debezium.signal: the schema debezium'],
    [
      'a name that topics and lake tables cannot have',
      tables('  "user list": {}'),
      '"user list" must be letters',
    ],
    [
      'tables that differ only by case',
      tables('  users: {}\n  Users: {}'),
      'tables.public.Users: shares its lake table users with public.users',
    ],
    [
      'a schema that joins into the name of another table',
      tables('  a__b: {}\n  a.b: {}'),
      'tables.a.b: shares its lake table a__b with public.a__b',
    ],
    [
      'topics that Kafka takes for one',
      tables('  a_b.c: {}\n  a.b_c: {}'),
      'tables.a.b_c: shares its topic cdc_a_b_c with a_b.c',
    ],
    [
      'a reference to a table that is not captured',
      tables('  orders: {reference: [{table: users, on: {user_id: id}, columns: {n: name}}]}'),
      'public.users is not captured',
    ],
    [
      'a reference by less than the whole key',
      tables(
        '  users: {key: [id, tenant]}\n  orders: {reference: [{table: users, on: {user_id: id}, columns: {n: name}}]}',
      ),
      'on must name the whole key of public.users (id, tenant), not (id)',
    ],
    [
      'a reference column that is added twice',
      tables(
        '  users: {}\n  orders: {reference: [{table: users, on: {a: id}, columns: {n: name}}, {table: users, on: {b: id}, columns: {n: name}}]}',
      ),
      'the column n is added twice',
    ],
    [
      'references in a circle',
      tables(
        '  a: {reference: [{table: b, on: {b: id}, columns: {x: x}}]}\n  b: {reference: [{table: a, on: {a: id}, columns: {y: y}}]}',
      ),
      'tables.public.a.reference: leads back to public.a',
    ],
    [
      'two checks of one name',
      tables('  users: {checks: {fail: [{name: c, where: a < 0}], warn: [{name: c, where: b < 0}]}}'),
      'two checks are named c',
    ],
    [
      'a check without a predicate',
      tables('  users: {checks: {fail: [{name: c}]}}'),
      'tables.users.checks.fail.0.where',
    ],
  ])('refuses %s', (_what, text, message) => {
    expect(mistakes(text)).toContain(message);
  });

  it('lists every mistake of a file at once', () => {
    expect(mistakes(tables('  debezium.a: {}\n  "b c": {}')).split('\n')).toHaveLength(3);
  });
});
