import type { Command } from 'commander';
import type { Client } from 'pg';
import { withDatabase } from '../postgres/client.ts';
import { runWorkload, type WorkloadCounts } from '../sample/workload.ts';
import { address, runningTwin } from '../twin-world.ts';
import { UsageError } from '../usage-error.ts';
import { interruption } from './context.ts';
import { table } from './output.ts';

type Options = { state?: string; rate: string; seconds: string };

/** https://www.postgresql.org/docs/15/errcodes-appendix.html */
const UNDEFINED_TABLE = '42P01';
const UNDEFINED_COLUMN = '42703';

function positive(text: string, option: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0)
    throw new UsageError(`${option} must be a number above 0, not ${text}.`);
  return value;
}

function countsTable({ tables }: WorkloadCounts): string {
  return table({
    columns: ['table', 'inserts', 'updates', 'deletes'],
    rows: Object.entries(tables).map(([name, c]) => [name, c.insert, c.update, c.delete]),
  });
}

function onProgress({ seconds, changes, transactions }: WorkloadCounts): void {
  console.error(`${seconds.toFixed(0)} s: ${changes} changes in ${transactions} transactions`);
}

/** The workload knows the sample's tables alone, which a PostgreSQL of the user's own (CDC_SOURCE_URL) may lack. */
function missingTable(error: unknown): UsageError | null {
  const { code, message } = error as Error & { code?: string };
  if (code !== UNDEFINED_TABLE && code !== UNDEFINED_COLUMN) return null;
  return new UsageError(
    `The source does not have the sample's tables, which \`cdc test\` works on: ${message}.`,
    {
      cause: error,
    },
  );
}

export function registerWorkload(program: Command): void {
  program
    .command('test')
    .description('change the sample tables as a shop would: inserts, updates, deletes')
    .option('--rate <n>', 'changed rows a second', '20')
    .option('--seconds <n>', 'for how long', '30')
    .option('--state <folder>', "the twin's state folder (default: CDC_STATE, else .cdc)")
    .action(async (options: Options) => {
      const rate = positive(options.rate, '--rate');
      const seconds = positive(options.seconds, '--seconds');
      const { state } = runningTwin(options.state);
      const signal = interruption();
      const work = (client: Client) => runWorkload(client, { rate, seconds, signal, onProgress });
      const counts = await withDatabase(address(state, 'source'), work).catch((error: unknown) => {
        throw missingTable(error) ?? error;
      });
      console.log(countsTable(counts));
    });
}
