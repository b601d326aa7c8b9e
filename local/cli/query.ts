import type { Command } from 'commander';
import { interruption, inWorld, type WorldOptions, withWorldOptions } from './context.ts';
import { wholeNumberOf } from './number.ts';
import { bytes, csv, json, table } from './output.ts';

type Options = WorldOptions & { json?: boolean; csv?: boolean; limit: string };

export function registerQuery(program: Command): void {
  const command = program
    .command('query')
    .description('run SQL over the lake: in Athena, or in the twin as Athena would')
    .argument('<sql>', 'a SELECT, SHOW or DESCRIBE; the database of the lake is the current one')
    .option('--json', 'print a JSON array of objects')
    .option('--csv', 'print CSV with a header')
    .option('--limit <rows>', 'rows at the most', '1000')
    .addHelpText(
      'after',
      `
Examples:
  cdc query "SHOW TABLES"
  cdc query "SELECT * FROM cdc_demo_dev_silver_users WHERE is_active LIMIT 10"
  cdc query "SELECT user_name FROM cdc_demo_dev_gold_user_analytics" --csv`,
    );
  withWorldOptions(command).action((sql: string, options: Options) => {
    const limit = wholeNumberOf(options.limit, '--limit');
    return inWorld(options, async (world) => {
      const result = await world.query(sql, limit, interruption());
      console.log(options.json ? json(result) : options.csv ? csv(result) : table(result));
      if (options.json || options.csv) return;
      const count = result.rows.length;
      const more = count === limit ? `, cut at --limit ${limit}` : '';
      const scanned = result.scannedBytes === null ? '' : `, ${bytes(result.scannedBytes)} scanned`;
      console.error(`${count} row${count === 1 ? '' : 's'}${more}${scanned}`);
    });
  });
}
