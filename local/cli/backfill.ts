import type { Command } from 'commander';
import { capturedTable, inWorld, type WorldOptions, withWorldOptions } from './context.ts';
import { followMachine } from './machine.ts';

type Options = WorldOptions & { where?: string };

export function registerBackfill(program: Command): void {
  const command = program
    .command('backfill')
    .description('read the rows of a table again, by an incremental snapshot beside the stream')
    .argument('<table>', 'a captured table: users, public.users')
    .option('--where <condition>', 'only the rows that match, in the source\'s SQL: "id > 1000"');
  withWorldOptions(command).action((name: string, { where, ...options }: Options) =>
    inWorld(options, async (world) => {
      const { id } = capturedTable(world.registry, name);
      await followMachine(world, 'backfill', { table: id, ...(where ? { condition: where } : {}) });
    }),
  );
}
