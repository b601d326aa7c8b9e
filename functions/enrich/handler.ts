import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import middy from '@middy/core';
import { ChangeEventReader } from '../cdc/change-event.ts';
import { pipeBatch } from '../cdc/kafka-record.ts';
import { glueDatabase, tableIdOfTopic } from '../cdc/names.ts';
import type { Pack } from '../cdc/pack.ts';
import { loadConfig } from './config.ts';
import { addCounts } from './counts-metrics.ts';
import { enrich } from './enrich.ts';
import { resolvePlaceholder } from './placeholder.ts';
import { writeSpills } from './spill.ts';

const config = loadConfig(process.env);
const logger = new Logger({ serviceName: 'enrich' });
const metrics = new Metrics({ namespace: glueDatabase(config), serviceName: 'enrich' });
const s3 = new S3Client({});
const secrets = new SecretsManagerClient({});

let reader: ChangeEventReader | undefined;

/**
 * Enrichment of an EventBridge pipe: Kafka records in, packs for Firehose out, what doesn't fit written to the
 * landing zone. It throws for its surroundings, and the pipe retries the batch; never for what a record holds, for
 * that would stall the partition until the record expires.
 */
export const handler = middy(async (event: unknown): Promise<Pack[]> => {
  const records = pipeBatch(event);
  if (records.length === 0) return [];
  reader ??= new ChangeEventReader(await resolvePlaceholder(config.placeholder, secrets));
  const { response, spill, counts } = enrich(records, { ...config, reader, now: new Date() });
  await writeSpills(spill, config.landingBucket, s3);
  // A pipe reads one topic.
  const topic = records[0]?.topic as string;
  addCounts(metrics, counts, tableIdOfTopic(topic) ?? topic);
  logger.info('batch enriched', { topic, ...counts });
  return response;
})
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics));
