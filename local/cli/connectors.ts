import type { Command } from 'commander';
import { inWorld, type WorldOptions, withWorldOptions } from './context.ts';
import { table } from './output.ts';

type Options = WorldOptions & { json?: boolean };

export function registerConnectors(program: Command): void {
  const command = program
    .command('connectors')
    .description('show the Debezium connector: its state, snapshot and configuration')
    .option('--json', 'print it as JSON');
  withWorldOptions(command).action((options: Options) =>
    inWorld(options, async (world) => {
      const { config, ...report } = await world.connector();
      const settings = config && Object.entries(config);
      if (options.json) {
        console.log(JSON.stringify({ ...report, config: settings && Object.fromEntries(settings) }, null, 2));
      } else {
        console.log(`${report.name}: ${report.state}, snapshot ${report.snapshot}`);
        if (report.error) console.log(report.error);
        if (settings) console.log(`\n${table({ columns: ['setting', 'value'], rows: settings })}`);
      }
      if (report.state !== 'running') process.exitCode = 1;
    }),
  );
}
