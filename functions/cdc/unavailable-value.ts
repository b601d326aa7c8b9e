import { createHash } from 'node:crypto';
import type { Column } from './pack.ts';

type Detector = { name: string; isPlaceholder: (value: unknown) => boolean };

/**
 * Finds the columns whose value PostgreSQL left out of an event because it is stored out of line (TOAST) and did not
 * change. In its place Debezium 3.7 writes `unavailable.value.placeholder`, in a form that depends on the column's
 * type (recorded in tests/fixtures/debezium/unchanged-out-of-line.json):
 *
 * - text, varchar, json, xml, tsvector, numeric, ranges and whatever else is a string: the token; hstore: an object
 *   with the token as its key and value; bytea and unknown types: the token's base64
 * - arrays of text, varchar or jsonb: one element, the token; bytea[]: one element, its base64; uuid[]: one element,
 *   a UUID made from the token; int[], bigint[] and date[]: the token's bytes as numbers
 * - every other array, bit strings and geometric types: null, which can't be told from NULL; only REPLICA IDENTITY
 *   FULL helps
 *
 * @param placeholder the deployment's random token
 * @returns takes a row from `after`, gives the names of such columns
 */
export function unchangedColumns(
  columns: Column[],
  placeholder: string,
): (row: Record<string, unknown>) => string[] {
  const detectors = columns.flatMap((column) => detector(column, placeholder));
  return (row) => {
    const unchanged: string[] = [];
    for (const { name, isPlaceholder } of detectors) {
      if (isPlaceholder(row[name])) unchanged.push(name);
    }
    return unchanged;
  };
}

function detector({ name, encoding }: Column, token: string): Detector[] {
  const bytes = Buffer.from(token);
  const base64 = bytes.toString('base64');
  switch (encoding) {
    case 'string': {
      const hstore = JSON.stringify({ [token]: token });
      return [{ name, isPlaceholder: (value) => value === token || value === hstore }];
    }
    case 'decimal-string':
      return [{ name, isPlaceholder: (value) => value === token }];
    case 'base64':
      return [{ name, isPlaceholder: (value) => value === base64 }];
    case 'array:string': {
      const uuid = nameBasedUuid(bytes);
      return [{ name, isPlaceholder: (value) => isArrayOf(value, [token]) || isArrayOf(value, [uuid]) }];
    }
    case 'array:base64':
      return [{ name, isPlaceholder: (value) => isArrayOf(value, [base64]) }];
    case 'array:number':
    case 'array:epoch-days': {
      const numbers = [...bytes];
      return [{ name, isPlaceholder: (value) => isArrayOf(value, numbers) }];
    }
    default:
      return [];
  }
}

function isArrayOf(value: unknown, elements: (string | number)[]): boolean {
  return (
    Array.isArray(value) &&
    value.length === elements.length &&
    elements.every((element, index) => value[index] === element)
  );
}

/** Java's `UUID.nameUUIDFromBytes`: an RFC 4122 version 3 UUID without a namespace. */
function nameBasedUuid(bytes: Buffer): string {
  const hash = createHash('md5').update(bytes).digest();
  hash[6] = ((hash[6] as number) & 0x0f) | 0x30;
  hash[8] = ((hash[8] as number) & 0x3f) | 0x80;
  return hash.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
