import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import middy from '@middy/core';
import { loadConfig, sourceSettings } from './config.ts';
import { readConnection, readRole } from './secret.ts';
import { checkSource, prepareSource, removeSource, type SourcePreparation } from './source.ts';

const actions = { prepare: prepareSource, check: checkSource, remove: removeSource };

export type SourceEvent = { action: keyof typeof actions };

const config = loadConfig(process.env);
const secrets = new SecretsManagerClient({});
const logger = new Logger({ serviceName: 'source' });

/** Prepares the source database for capture, checks it, or takes away again what was prepared. */
async function run({ action }: SourceEvent) {
  if (!Object.hasOwn(actions, action)) {
    throw new Error(
      `The action is ${JSON.stringify(action)}; use one of ${Object.keys(actions).join(', ')}.`,
    );
  }
  const connection = await readConnection(secrets, config.sourceSecretId);
  const role = await readRole(secrets, config.replicationSecretId);
  const answer = await actions[action](connection, sourceSettings(config.deployment, config.tables, role));
  logAnswer(action, answer);
  return answer;
}

function logAnswer(action: string, answer: Partial<SourcePreparation>): void {
  for (const { severity, message, ...finding } of answer.findings ?? []) {
    logger[severity === 'refuse' ? 'error' : 'warn'](message, finding);
  }
  // The script itself stays out of the log: it holds the password's verifier.
  logger.info(`source ${action}`, { ok: answer.ok, done: answer.done, ownerNeeded: answer.script != null });
}

export const handler = middy<SourceEvent>().use(injectLambdaContext(logger)).handler(run);
