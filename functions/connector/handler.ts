import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import middy from '@middy/core';
import { connectorConfig, connectorName } from '../cdc/connector-config.ts';
import { applyConnector, readCondition, restartFailed } from './apply.ts';
import { loadConfig } from './config.ts';
import { ConnectApi } from './connect-api.ts';
import { readConnection, readText } from './secret.ts';

/** apply: put the configuration; restart: start what has failed again; status: only look. */
export type ConnectorEvent = { action: 'apply' | 'restart' | 'status' };

/** Restarts in one invocation; a schedule repeats it, and the alarm on `failed` tells people. */
const RESTART_LIMIT = 3;
const SETTLED_WITHIN_MS = 60_000;

const config = loadConfig(process.env);
const logger = new Logger({ serviceName: 'connector' });
const secrets = new SecretsManagerClient({});
const api = new ConnectApi(config.connectUrl);
const name = connectorName(config.deployment);

const actions = {
  apply: async () => ({ applied: await applyConnector(api, name, await desiredConfig()) }),
  restart: () => restartFailed(api, name, RESTART_LIMIT, SETTLED_WITHIN_MS),
  status: async () => ({ condition: await readCondition(api, name) }),
};

/** The Debezium connector in Kafka Connect: put idempotently, restarted when it failed, looked at. */
async function run({ action }: ConnectorEvent) {
  if (!Object.hasOwn(actions, action)) {
    throw new Error(
      `The action is ${JSON.stringify(action)}; use one of ${Object.keys(actions).join(', ')}.`,
    );
  }
  const outcome = await actions[action]();
  logger.info(`connector ${action}`, { connector: name, ...outcome });
  return { connector: name, ...outcome };
}

async function desiredConfig(): Promise<Record<string, string>> {
  return connectorConfig({
    ...config.deployment,
    registry: config.registry,
    connection: await readConnection(secrets, config),
    placeholder: await readText(secrets, config.placeholderSecretArn),
    replicationFactor: config.replicationFactor,
  });
}

export const handler = middy<ConnectorEvent>().use(injectLambdaContext(logger)).handler(run);
