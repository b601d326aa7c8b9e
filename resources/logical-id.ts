import { createHash } from 'node:crypto';
import { lakeName, RESERVED_SCHEMA, splitTableId } from '../functions/cdc/names.ts';

const DEFAULT_SCHEMA = 'public';

/** Tables of these names would take the logical ids of resources that exist once (`PipeRole`, `StreamLogGroup`). */
const TAKEN = new Set(['role', 'log_group', 'security_group']);

/**
 * Logical id of a resource that a table has: `Topic` and `public.order_lines` give `TopicOrderLines`,
 * `debezium.transaction` gives `TopicDebeziumTransaction`. Logical ids are letters and digits only, so that other names
 * could meet (`a_1` and `a1`, `sales.orders` and `sales_orders`): these end with a part of their hash. A table's id
 * depends on nothing but its own name, because a changed logical id replaces the resource.
 * @param kind what it is, e.g. `Topic`, `Pipe`, `Stream`
 * @param table id of the table, with its schema
 */
export function logicalId(kind: string, table: string): string {
  const name = lakeName(table);
  const words = name.split('_').filter((word) => word !== '');
  const pascal = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
  return `${kind}${pascal}${isPlain(table, name) ? '' : shortHash(name)}`;
}

/** Whether no other table can have the same words: each begins with a letter, and the schema needs no telling. */
function isPlain(table: string, name: string): boolean {
  const { schema } = splitTableId(table);
  if (schema === RESERVED_SCHEMA) return true;
  return (
    schema === DEFAULT_SCHEMA &&
    /^[a-z][a-z0-9]*(_[a-z][a-z0-9]*)*$/.test(name) &&
    !name.startsWith(`${RESERVED_SCHEMA}_`) &&
    !TAKEN.has(name)
  );
}

function shortHash(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, 6);
}
