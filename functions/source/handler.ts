import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import middy from '@middy/core';
import { platformTables, type SourceConnection } from '../cdc/connector-config.ts';
import { SourceUnreachableError } from '../source-database/connection.ts';
import { ownerConnection, readRole } from '../source-database/secret.ts';
import { loadConfig, sourceSettings } from './config.ts';
import { withCurrentRole } from './current-role.ts';
import { readEvent, type SourceEvent } from './event.ts';
import { refusalOf, removalRefusal } from './refusal.ts';
import { setRolePassword, tryRole } from './role-password.ts';
import { createSample } from './sample.ts';
import { signalSnapshot, signalStop } from './signal.ts';
import { checkSource, prepareSource, removeSource, type SourcePreparation } from './source.ts';

const config = loadConfig(process.env);
const secrets = new SecretsManagerClient({});
const logger = new Logger({ serviceName: 'source' });
const capture = { tables: config.tables, platform: platformTables(config.deployment) };

/** Prepares the source database for capture, checks it, takes away again what was prepared, or signals Debezium. */
async function run(input: unknown) {
  const event = readEvent(input);
  const owner = await ownerConnection(secrets, config, config.address);
  const answer = await answerTo(event, owner);
  logAnswer(event, answer);
  return answer;
}

async function answerTo(event: SourceEvent, owner: SourceConnection) {
  const role = () => readRole(secrets, config.replicationSecretId);
  switch (event.action) {
    case 'prepare':
      return withCurrentRole(role, (current) => prepare(owner, current));
    case 'check':
      return checkSource(owner, settings(await role()));
    case 'remove':
      return remove(owner, await role());
    case 'signal':
      return signalSnapshot(asRole(owner, await role()), capture, event.table, event.condition);
    case 'stop-signal':
      return signalStop(asRole(owner, await role()), capture, event.table);
    case 'set-password':
      await setRolePassword(owner, await readRole(secrets, config.replicationSecretId, event.versionId));
      return { ok: true };
    case 'try-password':
      await tryRole(owner, await readRole(secrets, config.replicationSecretId, event.versionId));
      return { ok: true };
  }
}

type Role = Awaited<ReturnType<typeof readRole>>;

function settings(role: Role) {
  return sourceSettings(config.deployment, config.tables, role);
}

function asRole(owner: SourceConnection, { name, password }: Role): SourceConnection {
  return { ...owner, user: name, password };
}

async function prepare(owner: SourceConnection, role: Role) {
  const sample =
    config.sampleFolder === null ? [] : await createSample(owner, config.sampleFolder, config.tables);
  const prepared = await prepareSource(owner, settings(role));
  return { ...prepared, done: [...sample, ...prepared.done], reason: refusalOf(prepared) };
}

/** A database of the stack's own goes with the stack, slot and all; it may be stopped, or gone already. */
async function remove(owner: SourceConnection, role: Role) {
  try {
    const removed = await removeSource(owner, settings(role));
    const reason = removalRefusal(removed);
    return { ok: reason === null, ...removed, reason };
  } catch (error) {
    if (!config.ownDatabase || !(error instanceof SourceUnreachableError)) throw error;
    logger.warn('nothing was taken away from the database that goes with the stack', { error });
    return { ok: true, done: [], script: null, reason: null };
  }
}

function logAnswer({ action }: SourceEvent, answer: object): void {
  const {
    findings = [],
    script,
    done,
    ok,
    reason,
  } = answer as Partial<SourcePreparation> & { reason?: string };
  for (const { severity, message, ...finding } of findings) {
    logger[severity === 'refuse' ? 'error' : 'warn'](message, finding);
  }
  // The script itself stays out of the log: it holds the password's verifier.
  logger.info(`source ${action}`, { ok, done, reason, ownerNeeded: script != null });
}

export const handler = middy<unknown>().use(injectLambdaContext(logger)).handler(run);
