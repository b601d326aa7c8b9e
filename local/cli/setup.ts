import type { Command } from 'commander';
import { ensureSetup } from '../setup/setup.ts';

export function registerSetup(program: Command): void {
  program
    .command('setup')
    .description('install the Python and Java packages of the twin; `start` does it by itself')
    .action(async () => {
      await ensureSetup(console.log);
      console.log('Everything is installed.');
    });
}
