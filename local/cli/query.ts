import type { Command } from 'commander';
import { address, runningTwin, UsageError } from './context.ts';
import { csv, json, type Rows, table } from './output.ts';

type Options = { state?: string; json?: boolean; csv?: boolean; limit: string };

/** Runs SQL in the lake through the Spark worker. @throws UsageError with Spark's message for wrong SQL */
export async function queryLake(sparkUrl: string, sql: string, limit: number): Promise<Rows> {
  const answer = await fetch(`${sparkUrl}/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sql, limit }),
  });
  const body = (await answer.json()) as {
    error?: string;
    columns?: { name: string }[];
    rows?: unknown[][];
  };
  if (!answer.ok || !body.columns || !body.rows)
    throw new UsageError(body.error ?? `Spark said ${answer.status}`);
  return { columns: body.columns.map(({ name }) => name), rows: body.rows };
}

export function registerQuery(program: Command): void {
  program
    .command('query')
    .description('run SQL over the lake, as Athena would')
    .argument('<sql>', 'a SELECT, SHOW or DESCRIBE; the database of the lake is the current one')
    .option('--json', 'print a JSON array of objects')
    .option('--csv', 'print CSV with a header')
    .option('--limit <rows>', 'rows at the most', '1000')
    .option('--state <folder>', 'the state folder of the twin')
    .addHelpText(
      'after',
      `
Examples:
  cdc query "SHOW TABLES"
  cdc query "SELECT * FROM cdc_demo_dev_silver_users WHERE is_active LIMIT 10"
  cdc query "SELECT user_name, total_spent FROM cdc_demo_dev_gold_user_analytics ORDER BY total_spent DESC LIMIT 10" --csv`,
    )
    .action(async (sql: string, options: Options) => {
      const limit = Number(options.limit);
      if (!Number.isInteger(limit) || limit < 1)
        throw new UsageError('--limit must be a whole number from 1.');
      const rows = await queryLake(address(runningTwin(options.state).state, 'spark'), sql, limit);
      console.log(options.json ? json(rows) : options.csv ? csv(rows) : table(rows));
      if (!options.json && !options.csv) {
        const more = rows.rows.length === limit ? `, cut at --limit ${limit}` : '';
        console.error(`${rows.rows.length} row${rows.rows.length === 1 ? '' : 's'}${more}`);
      }
    });
}
