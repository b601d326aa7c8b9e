import type { Command } from 'commander';
import { inWorld, type WorldOptions, withWorldOptions } from './context.ts';
import { followMachine } from './machine.ts';

export function registerMaintain(program: Command): void {
  const command = program
    .command('maintain')
    .description("keep the lake's tables small and fast: compaction, snapshot expiry, orphan removal");
  withWorldOptions(command).action((options: WorldOptions) =>
    inWorld(options, (world) => followMachine(world, 'maintenance')),
  );
}
