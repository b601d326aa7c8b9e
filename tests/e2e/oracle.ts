/** The oracle: what the source holds, read with SQL, against what the lake holds, row by row. */
import type { Client } from 'pg';

/** Runs a query in the lake; every value is text or null. */
export type LakeQuery = (sql: string) => Promise<(string | null)[][]>;

/** Rows that are not the same on both sides, as text; all three are empty when the lake equals the source. */
export interface Difference {
  readonly missing: readonly string[];
  readonly extra: readonly string[];
  readonly different: readonly { readonly source: string; readonly lake: string }[];
}

export const NO_DIFFERENCE: Difference = { missing: [], extra: [], different: [] };

interface Column {
  readonly name: string;
  readonly type: string;
}

const COLUMNS_QUERY = `
SELECT column_name AS name, data_type AS type
FROM information_schema.columns
WHERE table_schema = $1 AND table_name = $2
ORDER BY ordinal_position`;

function sourceText({ name, type }: Column): string {
  const column = `"${name}"`;
  if (type === 'timestamp with time zone') {
    return `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')`;
  }
  return `${column}::text`;
}

function lakeText({ name, type }: Column): string {
  const column = `\`${name}\``;
  if (type === 'timestamp with time zone') {
    return `date_format(${column}, "yyyy-MM-dd'T'HH:mm:ss.SSSSSS")`;
  }
  return `CAST(${column} AS STRING)`;
}

/** Compares two sets of rows whose first `keyWidth` values are the key. */
export function compare(
  source: readonly (string | null)[][],
  lake: readonly (string | null)[][],
  keyWidth = 1,
): Difference {
  const keyOf = (row: readonly (string | null)[]) => JSON.stringify(row.slice(0, keyWidth));
  const expected = new Map(source.map((row) => [keyOf(row), JSON.stringify(row)]));
  const missing: string[] = [];
  const extra: string[] = [];
  const different: { source: string; lake: string }[] = [];
  const seen = new Set<string>();
  for (const row of lake) {
    const key = keyOf(row);
    const text = JSON.stringify(row);
    const want = expected.get(key);
    if (want === undefined || seen.has(key)) extra.push(text);
    else if (want !== text) different.push({ source: want, lake: text });
    seen.add(key);
  }
  for (const [key, text] of expected) if (!seen.has(key)) missing.push(text);
  return { missing: missing.slice(0, 5), extra: extra.slice(0, 5), different: different.slice(0, 5) };
}

/** A source table against the active rows of its silver table, every column of the source. */
export async function compareSilver(
  source: Client,
  lake: LakeQuery,
  table: { readonly schema: string; readonly name: string; readonly silver: string },
): Promise<Difference & { readonly rows: number }> {
  const { rows: columns } = await source.query<Column>(COLUMNS_QUERY, [table.schema, table.name]);
  const expected = await source.query<(string | null)[]>({
    text: `SELECT ${columns.map(sourceText).join(', ')} FROM "${table.schema}"."${table.name}"`,
    rowMode: 'array',
  });
  const found = await lake(`SELECT ${columns.map(lakeText).join(', ')} FROM ${table.silver} WHERE is_active`);
  return { ...compare(expected.rows, found), rows: expected.rows.length };
}
