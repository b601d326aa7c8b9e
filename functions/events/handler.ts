import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import middy from '@middy/core';
import { Kafka, logLevel } from 'kafkajs';
import { z } from 'zod';
import { ChangeEventReader } from '../cdc/change-event.ts';
import { NOTIFICATION_TOPIC } from '../cdc/connector-config.ts';
import { topicOf } from '../cdc/names.ts';
import { parseSecret } from '../cdc/secret-text.ts';
import { loadConfig } from './config.ts';
import { type EventsRequest, readEvent, type SnapshotEndRequest } from './event.ts';
import { readNotifications } from './notifications.ts';
import { readTopic, type TopicPart } from './read-topic.ts';
import { type ShownRecord, shownRecord } from './shown-record.ts';
import { type SnapshotEnd, snapshotEnd } from './snapshot-end.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const login = z.object({ username: z.string().min(1), password: z.string().min(1) });

const config = loadConfig(process.env);
const logger = new Logger({ serviceName: 'events' });
const secrets = new SecretsManagerClient({});

let opened: Promise<{ kafka: Kafka; reader: ChangeEventReader }> | undefined;

/** Shows what stands in Kafka to those who can't reach it: the changes of a table, or how a snapshot ended. */
async function run(input: unknown): Promise<TopicPart<ShownRecord> | SnapshotEnd> {
  const event = readEvent(input, config.tables);
  opened ??= open().catch((error) => {
    opened = undefined;
    throw error;
  });
  const { kafka, reader } = await opened;
  return 'action' in event ? endOf(kafka, event) : changes(kafka, reader, event);
}

async function changes(kafka: Kafka, reader: ChangeEventReader, { table, ...request }: EventsRequest) {
  const topic = topicOf(table);
  const answer = await readTopic(kafka, topic, request, (partition, message) =>
    shownRecord(reader, topic, partition, message),
  );
  logger.info('topic read', { topic, records: answer.records.length, next: answer.next });
  return answer;
}

async function endOf(kafka: Kafka, { signal }: SnapshotEndRequest): Promise<SnapshotEnd> {
  const end = snapshotEnd(signal, await readNotifications(kafka, NOTIFICATION_TOPIC));
  logger.info('notifications read', { signal, ...end });
  return end;
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
