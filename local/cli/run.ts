import type { Command } from 'commander';
import { inWorld, type WorldOptions, withWorldOptions } from './context.ts';
import { followMachine } from './machine.ts';

type Options = WorldOptions & { force?: boolean };

export function registerRun(program: Command): void {
  const command = program
    .command('run')
    .description('run bronze, silver and gold once, and show how it goes')
    .option('--force', 'run all layers even when nothing new has landed');
  withWorldOptions(command).action((options: Options) =>
    inWorld(options, (world) => followMachine(world, 'medallion', options.force ? { force: true } : {})),
  );
}
