import { setTimeout as pause } from 'node:timers/promises';
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import middy from '@middy/core';
import {
  connectorConfig,
  connectorName,
  SOURCE_PASSWORD_REFERENCE,
  slotName,
  withMessageKeys,
} from '../cdc/connector-config.ts';
import { glueDatabase } from '../cdc/names.ts';
import { readAddress, readRole, readText, roleConnection } from '../source-database/secret.ts';
import { readCondition, restartFailed } from './apply.ts';
import { loadConfig } from './config.ts';
import { ConnectApi, ConnectUnreachableError } from './connect-api.ts';
import { applyInEpoch } from './epoch.ts';
import { type ConnectorEvent, readEvent } from './event.ts';
import { incrementalOf } from './incremental.ts';
import { type Kept, keepConnector } from './keep.ts';
import { removeConnector } from './remove.ts';
import { RestartLimit } from './restart-limit.ts';
import { shownConfig } from './shown-config.ts';
import { dropSlot } from './slot.ts';

/** Restarts in one invocation that people ask for. */
const RESTART_LIMIT = 3;
const RESTARTS_PER_HOUR = 6;
const SETTLED_WITHIN_MS = 60_000;
const STOPPED_WITHIN_MS = 60_000;
/** A service that has just become stable may not be found by its name yet. */
const REACHABLE_WITHIN_MS = 120_000;
const REACHABLE_PAUSE_MS = 3_000;

const config = loadConfig(process.env);
const logger = new Logger({ serviceName: 'connector' });
const metrics = new Metrics({ namespace: glueDatabase(config.deployment), serviceName: 'connector' });
const secrets = new SecretsManagerClient({});
const api = new ConnectApi(config.connectUrl);
const name = connectorName(config.deployment);
const limit = new RestartLimit(RESTARTS_PER_HOUR);

const actions = {
  apply: async ({ messageKeys }: ConnectorEvent) => {
    const desired = await desiredConfig(messageKeys);
    await untilReachable();
    return { applied: await applyInEpoch(api, name, desired, dropOldSlot) };
  },
  keep: async ({ messageKeys }: ConnectorEvent) => {
    const kept = await keepConnector(api, name, await desiredConfig(messageKeys), limit);
    report(kept);
    return kept;
  },
  restart: () => restartFailed(api, name, RESTART_LIMIT, SETTLED_WITHIN_MS),
  status: async () => {
    const [condition, config] = await Promise.all([readCondition(api, name), api.config(name)]);
    return { condition, config: config && shownConfig(config) };
  },
  'snapshot-state': async ({ after }: ConnectorEvent) => ({
    condition: await readCondition(api, name),
    incremental: incrementalOf(await api.offsets(name), after),
  }),
  remove,
};

/** The Debezium connector in Kafka Connect: put idempotently, restarted when it failed, looked at, taken away. */
async function run(input: unknown) {
  const event = readEvent(input);
  const { action } = event;
  const outcome = await actions[action](event);
  logger.info(`connector ${action}`, { connector: name, ...outcome, config: undefined });
  return { connector: name, ...outcome };
}

async function desiredConfig(messageKeys: ConnectorEvent['messageKeys']): Promise<Record<string, string>> {
  return connectorConfig({
    ...config.deployment,
    registry: { ...config.registry, tables: withMessageKeys(config.registry.tables, messageKeys) },
    connection: await connection(),
    placeholder: await placeholder(),
    replicationFactor: config.replicationFactor,
  });
}

async function placeholder(): Promise<string> {
  const { placeholder: setting } = config;
  return 'value' in setting ? setting.value : readText(secrets, setting.secretId);
}

/** The password stays with the worker: neither Connect's configuration topic nor its REST interface holds it. */
async function connection() {
  const address = await readAddress(secrets, config.sourceSecretId, config.address);
  const { name: user } = await readRole(secrets, config.replicationSecretId);
  return { ...address, user, password: SOURCE_PASSWORD_REFERENCE };
}

async function dropOldSlot(): Promise<boolean> {
  return dropSlot(await roleConnection(secrets, config, config.address), slotName(config.deployment));
}

async function untilReachable(): Promise<void> {
  for (const deadline = Date.now() + REACHABLE_WITHIN_MS; ; await pause(REACHABLE_PAUSE_MS)) {
    try {
      await api.config(name);
      return;
    } catch (error) {
      if (!(error instanceof ConnectUnreachableError) || Date.now() > deadline) throw error;
    }
  }
}

/**
 * Where no Connect answers, no connector runs. Should one run all the same, the source's removal, which comes next,
 * meets its slot in use and refuses.
 */
async function remove() {
  try {
    return { removed: await removeConnector(api, name, STOPPED_WITHIN_MS) };
  } catch (error) {
    if (!(error instanceof ConnectUnreachableError)) throw error;
    logger.warn('the connector was not removed', { error });
    return { removed: false };
  }
}

function report({ condition, failedTasks, restarts, problem }: Kept): void {
  metrics.addMetric('ConnectorRunning', MetricUnit.Count, condition?.state === 'running' ? 1 : 0);
  metrics.addMetric('FailedTasks', MetricUnit.Count, failedTasks);
  metrics.addMetric('Restarts', MetricUnit.Count, restarts);
  metrics.publishStoredMetrics();
  if (problem !== null) logger.error(problem);
}

export const handler = middy<unknown>().use(injectLambdaContext(logger)).handler(run);
