import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import middy from '@middy/core';
import { Kafka, logLevel } from 'kafkajs';
import { z } from 'zod';
import { ChangeEventReader } from '../cdc/change-event.ts';
import { topicOf } from '../cdc/names.ts';
import { parseSecret } from '../cdc/secret-text.ts';
import { loadConfig } from './config.ts';
import { readEvent } from './event.ts';
import { type EventsAnswer, readTopic } from './read-topic.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const login = z.object({ username: z.string().min(1), password: z.string().min(1) });

const config = loadConfig(process.env);
const logger = new Logger({ serviceName: 'events' });
const secrets = new SecretsManagerClient({});

let opened: Promise<{ kafka: Kafka; reader: ChangeEventReader }> | undefined;

/** Shows the changes of a table as they stand in Kafka, for those who can't reach it. */
async function run(input: unknown): Promise<EventsAnswer> {
  const { table, ...request } = readEvent(input, config.tables);
  opened ??= open().catch((error) => {
    opened = undefined;
    throw error;
  });
  const { kafka, reader } = await opened;
  const topic = topicOf(table);
  const answer = await readTopic(kafka, reader, topic, request);
  logger.info('topic read', { topic, records: answer.records.length, next: answer.next });
  return answer;
}

async function open() {
  const { placeholder } = config;
  const reader = new ChangeEventReader(
    'value' in placeholder ? placeholder.value : await secretText(placeholder.secretId),
  );
  const kafka = new Kafka({
    clientId: 'cdc-events',
    brokers: config.brokers,
    logLevel: logLevel.NOTHING,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    retry: { retries: 3 },
    ...(await credentials()),
  });
  return { kafka, reader };
}

/** Amazon MSK knows SCRAM-SHA-512 only (https://docs.aws.amazon.com/msk/latest/developerguide/msk-password.html). */
async function credentials() {
  const id = config.kafkaSecretId;
  if (id === null) return {};
  const { username, password } = parseSecret(id, await secretText(id), login);
  return { ssl: true, sasl: { mechanism: 'scram-sha-512' as const, username, password } };
}

async function secretText(id: string): Promise<string> {
  const { SecretString: text } = await secrets.send(new GetSecretValueCommand({ SecretId: id }));
  if (!text) throw new Error(`The secret ${id} holds no text; set its value.`);
  return text;
}

export const handler = middy<unknown>().use(injectLambdaContext(logger)).handler(run);
