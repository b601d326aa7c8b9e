import { readFileSync } from 'node:fs';
import { SFNClient } from '@aws-sdk/client-sfn';
import { connectorName } from '../functions/cdc/connector-config.ts';
import type { Registry } from '../functions/cdc/registry.ts';
import { readCondition } from '../functions/connector/apply.ts';
import { ConnectApi } from '../functions/connector/connect-api.ts';
import { shownConfig } from '../functions/connector/shown-config.ts';
import { ACCOUNT, deployedName } from './aws/lambda/function.ts';
import { clientSettings, REGION } from './aws/platform.ts';
import { queryLake } from './spark/lake-query.ts';
import { readState, runningOwner, type Secrets, statePaths, stateRoot, type TwinState } from './state.ts';
import { placeOf, readTwinStatus } from './status.ts';
import { followTopic } from './topic.ts';
import { TwinError } from './twin-error.ts';
import { UsageError } from './usage-error.ts';
import type { World } from './world.ts';

/** The twin's stage, as in its table names. */
export const TWIN_STAGE = 'dev';

const POLL_MS = 200;

/**
 * State of the twin that runs in this folder.
 * @throws UsageError that says how to start one
 */
export function runningTwin(option: string | undefined): { root: string; state: TwinState } {
  const root = stateRoot(option);
  const state = readState(root);
  if (state === null || runningOwner(root) === null) {
    throw new UsageError(
      `No twin is running in ${root}. Start it with \`npm start${option ? ` -- --state ${option}` : ''}\`; for a stage on AWS add --stage <name>.`,
    );
  }
  return { root, state };
}

/** One of the twin's addresses. @throws TwinError while the twin is still starting */
export function address(state: TwinState, name: string): string {
  const url = state.urls[name];
  if (url === undefined) throw new TwinError(`The twin is still starting; repeat when it is up.`);
  return url;
}

/** The twin of a state folder. @throws UsageError when none runs there */
export function twinWorld(registry: Registry, stateOption: string | undefined): World {
  const { root, state } = runningTwin(stateOption);
  const deployment = { project: registry.project, stage: TWIN_STAGE };
  return {
    place: placeOf(root),
    registry,
    deployment,

    async stateMachine(name) {
      if (name === 'cost-guard') {
        throw new UsageError(
          'The twin has nothing that costs by the hour; stop it with `cdc stop`. For a stage on AWS add --stage <name>.',
        );
      }
      return {
        sfn: new SFNClient(clientSettings(address(state, 'endpoint'))),
        arn: `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:${deployedName(deployment, name)}`,
        pollMs: POLL_MS,
        link: () => null,
      };
    },

    async connector() {
      const api = new ConnectApi(address(state, 'connect'));
      const name = connectorName(deployment);
      const [condition, config] = await Promise.all([readCondition(api, name), api.config(name)]);
      return { name, ...condition, config: config && shownConfig(config) };
    },

    async query(sql, limit, signal) {
      const rows = await queryLake(address(state, 'spark'), sql, limit, signal);
      return { ...rows, scannedBytes: null };
    },

    async follow(table, options) {
      const { placeholder } = JSON.parse(readFileSync(statePaths(root).secrets, 'utf8')) as Secrets;
      const { topic } = registry.tables.find(({ id }) => id === table) ?? { topic: table };
      await followTopic({ broker: address(state, 'kafka'), topic, placeholder }, options);
    },

    status: () => readTwinStatus({ root, state, registry, deployment }),
  };
}
