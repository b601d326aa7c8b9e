import type { Command } from 'commander';
import { Client } from 'pg';
import { runWorkload, type WorkloadCounts } from '../sample/workload.ts';
import { address, runningTwin } from '../twin-world.ts';
import { UsageError } from '../usage-error.ts';
import { table } from './output.ts';

type Options = { state?: string; rate: string; seconds: string };

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

export function registerWorkload(program: Command): void {
  program
    .command('test')
    .description('change the sample tables as a shop would: inserts, updates, deletes')
    .option('--rate <n>', 'changed rows a second', '20')
    .option('--seconds <n>', 'for how long', '30')
    .option('--state <folder>', 'the state folder of the twin')
    .action(async (options: Options) => {
      const rate = positive(options.rate, '--rate');
      const seconds = positive(options.seconds, '--seconds');
      const { state } = runningTwin(options.state);
      const client = new Client({ connectionString: address(state, 'source') });
      const interrupted = new AbortController();
      process.once('SIGINT', () => interrupted.abort());
      await client.connect();
      try {
        const counts = await runWorkload(client, {
          rate,
          seconds,
          signal: interrupted.signal,
          onProgress: (now) =>
            console.error(
              `${now.seconds.toFixed(0)} s: ${now.changes} changes in ${now.transactions} transactions`,
            ),
        });
        console.log(countsTable(counts));
      } finally {
        await client.end();
      }
    });
}
