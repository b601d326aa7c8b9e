import { createHash } from 'node:crypto';
import type { Column } from './pack.ts';

type Detector = { name: string; isPlaceholder: (value: unknown) => boolean };

/**
 * Finds the columns whose value PostgreSQL left out of an event because it is stored out of line (TOAST) and did not
 * change. Debezium 3.7 writes `unavailable.value.placeholder` instead, in a form that depends on the column's type:
 * the token itself in whatever is a string, its base64 in bytea, an array of the token in arrays of strings, an array
 * of its bytes in int[] and bigint[], one name-based UUID in uuid[]. Other arrays (numeric[], timestamp[] ...) arrive as plain null:
 * there an unchanged large value can't be told from NULL.
 * @param placeholder the deployment's random token
 * @returns the names of such columns of a row, from `after`
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

function detector({ name, encoding }: Column, placeholder: string): Detector[] {
  switch (encoding) {
    case 'string':
    case 'decimal-string':
      return [{ name, isPlaceholder: (value) => value === placeholder }];
    case 'base64': {
      const base64 = Buffer.from(placeholder).toString('base64');
      return [{ name, isPlaceholder: (value) => value === base64 }];
    }
    case 'array:string': {
      const uuid = nameBasedUuid(placeholder);
      return [
        { name, isPlaceholder: (value) => isArrayOf(value, [placeholder]) || isArrayOf(value, [uuid]) },
      ];
    }
    case 'array:number': {
      const bytes = [...Buffer.from(placeholder)];
      return [{ name, isPlaceholder: (value) => isArrayOf(value, bytes) }];
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

/** Java's `UUID.nameUUIDFromBytes`: an RFC 4122 version 3 UUID of the bytes without a namespace. */
function nameBasedUuid(name: string): string {
  const hash = createHash('md5').update(name).digest();
  hash[6] = ((hash[6] as number) & 0x0f) | 0x30;
  hash[8] = ((hash[8] as number) & 0x3f) | 0x80;
  return hash.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
