import type { Command } from 'commander';
import { removeState, stateRoot, stopTwin } from '../state.ts';

type Options = { state?: string };

export function registerStop(program: Command): void {
  program
    .command('stop')
    .description('stop the twin; its data stays')
    .option('--state <folder>', "the twin's state folder (default: CDC_STATE, else .cdc)")
    .action(async ({ state }: Options) => {
      const root = stateRoot(state);
      const stopped = await stopTwin(root, (child) =>
        console.log(`ended ${child}, left behind by a killed twin`),
      );
      console.log(stopped ? 'The twin has stopped.' : `No twin was running in ${root}.`);
    });
  program
    .command('clean')
    .description('stop the twin and remove its data')
    .option('--state <folder>', "the twin's state folder (default: CDC_STATE, else .cdc)")
    .action(async ({ state }: Options) => {
      const root = stateRoot(state);
      await stopTwin(root, (child) => console.log(`ended ${child}, left behind by a killed twin`));
      const removed = await removeState(root);
      console.log(removed ? `Removed ${root}.` : `There is no twin in ${root}.`);
    });
}
