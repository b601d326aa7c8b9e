/** What every command starts from: the registry, the deployment, and the state folder with its running twin. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Deployment } from '../../functions/cdc/names.ts';
import { parseRegistry, type Registry } from '../../functions/cdc/registry.ts';
import { PROJECT_ROOT, readState, runningOwner, stateRoot, type TwinState } from '../state.ts';

/** The twin's stage, as in its table names. */
export const TWIN_STAGE = 'dev';

/** Something that the user can put right; printed without a stack trace. */
export class UsageError extends Error {
  override name = 'UsageError';
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
 * State of the twin that runs in this folder.
 * @throws UsageError that says how to start one
 */
export function runningTwin(option: string | undefined): { root: string; state: TwinState } {
  const root = stateRoot(option);
  const state = readState(root);
  if (state === null || runningOwner(root) === null) {
    throw new UsageError(
      `No twin is running in ${root}. Start it with "npm start"${option ? ` -- --state ${option}` : ''}.`,
    );
  }
  return { root, state };
}

/** One of the twin's addresses. @throws UsageError while the twin is still starting */
export function address(state: TwinState, name: string): string {
  const url = state.urls[name];
  if (url === undefined) throw new UsageError(`The twin has no ${name} yet; wait until it is up.`);
  return url;
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
