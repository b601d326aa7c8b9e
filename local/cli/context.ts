/** What every command starts from: the registry, the deployment, and the world that its options name. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Deployment } from '../../functions/cdc/names.ts';
import { parseRegistry, type Registry } from '../../functions/cdc/registry.ts';
import { explainAwsError } from '../stage/errors.ts';
import { openPlace, stageAddress } from '../stage/place.ts';
import { PROJECT_ROOT, stateRoot } from '../state.ts';
import { explainTwinError } from '../twin-error.ts';
import { TWIN_STAGE, twinWorld } from '../twin-world.ts';
import { UsageError } from '../usage-error.ts';
import type { World } from '../world.ts';

/** The options that name a world: the twin of a state folder, or a stage on AWS. */
export type WorldOptions = { state?: string; stage?: string; region?: string };

/** The long names of these options, which README describes once for all verbs. */
export const WORLD_OPTIONS = ['--state', '--stage', '--region'];

/** Adds the options that name a world to a verb. */
export function withWorldOptions(command: Command): Command {
  return command
    .option('--stage <name>', 'a stage on AWS (dev, staging, prod) instead of the twin')
    .option('--region <name>', "the stage's region (default: the one that sls deploy takes)")
    .option('--state <folder>', "the twin's state folder (default: CDC_STATE, else .cdc)");
}

/** The table registry of this checkout. @throws RegistryError that lists every mistake */
export function readRegistry(): Registry {
  return parseRegistry(readFileSync(join(PROJECT_ROOT, 'tables.yml'), 'utf8'));
}

/** Project and stage of the twin. */
export function twinDeployment(registry: Pick<Registry, 'project'>): Deployment {
  return { project: registry.project, stage: TWIN_STAGE };
}

/**
 * Does a verb's work in the world that its options name.
 * @throws UsageError for options that contradict each other; StageError or TwinError for trouble there, in one sentence
 */
export async function inWorld(options: WorldOptions, work: (world: World) => Promise<void>): Promise<void> {
  const { stage, region, state } = options;
  if (stage === undefined) {
    if (region !== undefined) throw new UsageError('--region goes with --stage: the twin has no region.');
    return inTwin(state, () => work(twinWorld(readRegistry(), state)));
  }
  if (state !== undefined)
    throw new UsageError('Name either --stage or --state: a stage is on AWS, the twin is not.');
  const registry = readRegistry();
  const address = stageAddress(stage, region);
  try {
    // The clients of a dozen services take a second to load, which verbs of the twin need not wait for.
    const { stageWorld } = await import('../stage/stage-world.ts');
    await work(stageWorld(registry, await openPlace(address, registry.project)));
  } catch (error) {
    throw explainAwsError(error, address) ?? error;
  }
}

/** Does work in the twin of a state folder. @throws TwinError for a part of it that does not answer */
export async function inTwin(state: string | undefined, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw explainTwinError(error, stateRoot(state)) ?? error;
  }
}

/** A signal for Ctrl-C and SIGTERM. */
export function interruption(): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());
  return stopping.signal;
}

/**
 * A table of the registry by the name a person types: orders, public.orders.
 * @throws UsageError that lists the captured tables
 */
export function capturedTable(registry: Registry, name: string): Registry['tables'][number] {
  const found = registry.tables.find((table) => table.id === name || table.id === `public.${name}`);
  if (found) return found;
  const known = registry.tables.map(({ id }) => id.replace(/^public\./, '')).join(', ');
  throw new UsageError(`${name} is not a captured table; tables.yml lists ${known}.`);
}
