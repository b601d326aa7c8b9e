import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SourceConnection } from '../cdc/connector-config.ts';
import { withSource } from '../source-database/connection.ts';
import { MANNER } from './manner.ts';

const MISSING_QUERY = `
SELECT w.schema || '.' || w."table" AS id
FROM unnest($1::text[], $2::text[]) AS w (schema, "table")
WHERE to_regclass(quote_ident(w.schema) || '.' || quote_ident(w."table")) IS NULL`;

/**
 * Makes the sample's tables and rows in a database that lacks captured tables, in one transaction. Tables and rows that
 * are there are left alone.
 * @param folder with the schema's files, and the rows' in `seed/`
 * @returns what was done; empty when no captured table was missing
 */
export function createSample(
  connection: SourceConnection,
  folder: string,
  tables: readonly { schema: string; table: string }[],
): Promise<string[]> {
  return withSource(connection, MANNER, async (client) => {
    const { rows } = await client.query<{ id: string }>(MISSING_QUERY, [
      tables.map(({ schema }) => schema),
      tables.map(({ table }) => table),
    ]);
    if (rows.length === 0) return [];
    const files = [...sqlFiles(folder), ...sqlFiles(join(folder, 'seed'))];
    try {
      await client.query('BEGIN');
      for (const file of files) await client.query(readFileSync(file, 'utf8'));
      await client.query('COMMIT');
    } catch (error) {
      await client.query('ROLLBACK');
      throw new Error(`The sample could not be made, nothing was changed: ${(error as Error).message}`, {
        cause: error,
      });
    }
    return [`make the sample's tables and rows, because there was no ${rows.map(({ id }) => id).join(', ')}`];
  });
}

function sqlFiles(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.sql'));
  return names.sort().map((name) => join(folder, name));
}
