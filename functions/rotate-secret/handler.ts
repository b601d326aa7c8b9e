import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { ECSClient, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import middy from '@middy/core';
import { loadConfig } from './config.ts';
import { readEvent } from './event.ts';
import { type RotationPorts, rotate } from './rotate.ts';
import { SecretVersions } from './versions.ts';

const config = loadConfig(process.env);
const logger = new Logger({ serviceName: 'rotate-secret' });
const secrets = new SecretsManagerClient({});
const lambda = new LambdaClient({});
const ecs = new ECSClient({});

/** Rotation of the replication role's secret, step by step as Secrets Manager asks for it. */
async function run(input: unknown): Promise<void> {
  const event = readEvent(input);
  const done = await rotate(event, portsOf(new SecretVersions(secrets, event.SecretId)));
  logger.info(`rotation ${event.Step}: ${done}`, { version: event.ClientRequestToken });
}

function portsOf(versions: SecretVersions): RotationPorts {
  return {
    isPending: (version) => versions.isPending(version),
    create: (version) => versions.create(version),
    makeCurrent: (version) => versions.makeCurrent(version),
    source: askSource,
    restartConnect: async () => {
      const { cluster, name } = config.service;
      await ecs.send(new UpdateServiceCommand({ cluster, service: name, forceNewDeployment: true }));
    },
  };
}

async function askSource(action: string, versionId?: string): Promise<void> {
  const { FunctionError, Payload } = await lambda.send(
    new InvokeCommand({
      FunctionName: config.sourceFunction,
      Payload: JSON.stringify({ action, versionId }),
    }),
  );
  if (FunctionError === undefined) return;
  const { errorMessage = FunctionError } = JSON.parse(Payload?.transformToString() || '{}') as {
    errorMessage?: string;
  };
  throw new Error(`${config.sourceFunction} failed at ${action}: ${errorMessage}`);
}

export const handler = middy<unknown>().use(injectLambdaContext(logger)).handler(run);
