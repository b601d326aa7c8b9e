import type { Command } from 'commander';
import { connectorName } from '../../functions/cdc/connector-config.ts';
import { readCondition } from '../../functions/connector/apply.ts';
import { ConnectApi } from '../../functions/connector/connect-api.ts';
import { address, readRegistry, runningTwin, twinDeployment } from './context.ts';
import { table } from './output.ts';

type Options = { state?: string; json?: boolean };

export function registerConnectors(program: Command): void {
  program
    .command('connectors')
    .description('show the Debezium connector: its state, snapshot and configuration')
    .option('--json', 'print it as JSON')
    .option('--state <folder>', 'the state folder of the twin')
    .action(async (options: Options) => {
      const { state } = runningTwin(options.state);
      const api = new ConnectApi(address(state, 'connect'));
      const name = connectorName(twinDeployment(readRegistry()));
      const [condition, all] = await Promise.all([readCondition(api, name), api.config(name)]);
      const shown = Object.entries(all ?? {}).filter(([setting]) => !/password|placeholder/.test(setting));
      const config = Object.fromEntries(shown.sort());
      if (options.json) {
        console.log(JSON.stringify({ name, ...condition, config }, null, 2));
      } else {
        console.log(`${name}: ${condition.state}, snapshot ${condition.snapshot}`);
        if (condition.error) console.log(condition.error);
        const rows = Object.entries(config ?? {}).filter(
          ([setting]) => !/password|placeholder/.test(setting),
        );
        console.log(`\n${table({ columns: ['setting', 'value'], rows: rows.sort() })}`);
      }
      if (condition.state !== 'running') process.exitCode = 1;
    });
}
