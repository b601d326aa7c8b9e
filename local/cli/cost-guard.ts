import { Argument, type Command } from 'commander';
import { inWorld, type WorldOptions, withWorldOptions } from './context.ts';
import { followMachine } from './machine.ts';

type Options = WorldOptions & { force?: boolean };

export function registerCostGuard(program: Command): void {
  const command = program
    .command('cost-guard')
    .description('put a stage to sleep, or wake it: alarms, schedules, pipes, Debezium, its own database')
    .addArgument(new Argument('<action>', 'what to do').choices(['pause', 'resume']))
    .option('--force', 'pause although the source is an existing database, whose log then grows');
  withWorldOptions(command).action((action: string, { force, ...options }: Options) =>
    inWorld(options, (world) =>
      followMachine(world, 'cost-guard', { action, ...(force ? { force: true } : {}) }),
    ),
  );
}
