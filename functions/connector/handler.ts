import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import middy from '@middy/core';
import {
  connectorConfig,
  connectorName,
  SOURCE_PASSWORD_REFERENCE,
  withMessageKeys,
} from '../cdc/connector-config.ts';
import { readAddress, readRole, readText } from '../source-database/secret.ts';
import { applyConnector, readCondition, restartFailed } from './apply.ts';
import { loadConfig } from './config.ts';
import { ConnectApi } from './connect-api.ts';
import { type ConnectorEvent, readEvent } from './event.ts';

/** Restarts in one invocation; a schedule repeats it, and the alarm on `failed` tells people. */
const RESTART_LIMIT = 3;
const SETTLED_WITHIN_MS = 60_000;

const config = loadConfig(process.env);
const logger = new Logger({ serviceName: 'connector' });
const secrets = new SecretsManagerClient({});
const api = new ConnectApi(config.connectUrl);
const name = connectorName(config.deployment);

const actions = {
  apply: async ({ messageKeys }: ConnectorEvent) => ({
    applied: await applyConnector(api, name, await desiredConfig(messageKeys)),
  }),
  restart: () => restartFailed(api, name, RESTART_LIMIT, SETTLED_WITHIN_MS),
  status: async () => ({ condition: await readCondition(api, name) }),
};

/** The Debezium connector in Kafka Connect: put idempotently, restarted when it failed, looked at. */
async function run(input: unknown) {
  const event = readEvent(input);
  const { action } = event;
  const outcome = await actions[action](event);
  logger.info(`connector ${action}`, { connector: name, ...outcome });
  return { connector: name, ...outcome };
}

async function desiredConfig(messageKeys: ConnectorEvent['messageKeys']): Promise<Record<string, string>> {
  return connectorConfig({
    ...config.deployment,
    registry: { tables: withMessageKeys(config.registry.tables, messageKeys) },
    connection: await connection(),
    placeholder: await readText(secrets, config.placeholderSecretArn),
    replicationFactor: config.replicationFactor,
  });
}

/** The password stays with the worker: neither Connect's configuration topic nor its REST interface holds it. */
async function connection() {
  const address = await readAddress(secrets, config.sourceSecretId, config.address);
  const { name: user } = await readRole(secrets, config.replicationSecretId);
  return { ...address, user, password: SOURCE_PASSWORD_REFERENCE };
}

export const handler = middy<unknown>().use(injectLambdaContext(logger)).handler(run);
