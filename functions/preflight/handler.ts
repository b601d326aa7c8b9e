import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import middy from '@middy/core';
import { z } from 'zod';
import { connectorName, slotName } from '../cdc/connector-config.ts';
import { glueDatabase } from '../cdc/names.ts';
import { anythingNew, latestReports } from './anything-new.ts';
import { loadConfig } from './config.ts';
import { type Decision, decide, type SourceMemory } from './decide.ts';
import { goldCurrentAt } from './gold-freshness.ts';
import { connectionOf, lookAtConnect, lookAtSource, type SourceLook } from './look.ts';
import { addLook } from './look-metrics.ts';
import { readJson, writeJson } from './stored-json.ts';
import { type ConnectAnswer, connectWarnings, slotWarnings } from './warnings.ts';

/** Which source and cluster the last run met, and what was warned of then. */
const SOURCE_KEY = 'reports/latest/source.json';

/** `force`: run whether there is news or not. */
const eventShape = z.looseObject({ force: z.boolean().default(false) });

const config = loadConfig(process.env);
const logger = new Logger({ serviceName: 'preflight' });
const metrics = new Metrics({ namespace: glueDatabase(config), serviceName: 'preflight' });
const s3 = new S3Client({});
const secrets = new SecretsManagerClient({});

/** Before a run: is there anything to do, is the stream still the one that the lake was built from, does it flow? */
async function run(event: unknown): Promise<Decision> {
  const { force } = eventShape.parse(event);
  const now = new Date();
  const [last, reports, news, connect, source] = await Promise.all([
    readJson<SourceMemory>(s3, config.bucket, SOURCE_KEY),
    latestReports(s3, config.bucket),
    anythingNew(s3, config, now),
    lookAtConnect(config.connectUrl, connectorName(config)),
    connectionOf(config.source, secrets).then((connection) => lookAtSource(connection, slotName(config))),
  ]);
  const { decision, memory } = decide({
    place: config,
    epoch: config.epoch,
    last,
    source: sourceNow(connect, source),
    news,
    warnings: [
      ...connectWarnings(connect, connectorName(config)),
      ...slotWarnings(source, slotName(config), config.slotLagBudget),
    ],
    forced: force,
  });
  const goldAt = goldCurrentAt(reports, news, last?.gold_current_at ?? null, now);
  await writeJson(s3, config.bucket, SOURCE_KEY, {
    ...memory,
    ...(goldAt !== null && { gold_current_at: goldAt }),
  });
  addLook(metrics, decision, source, goldAt, now);
  report(decision);
  return decision;
}

function sourceNow(connect: ConnectAnswer, source: SourceLook) {
  const identity = 'identity' in source ? source.identity : undefined;
  return {
    system_identifier: identity?.system_identifier ?? null,
    timeline: identity?.timeline ?? null,
    lsn: identity?.lsn ?? null,
    cluster: 'cluster' in connect ? connect.cluster : null,
  };
}

function report(decision: Decision): void {
  for (const { code, message } of decision.warnings) logger.warn(message, { code });
  logger[decision.refuse === null ? 'info' : 'error'](decision.reason, {
    go: decision.go,
    source: decision.source,
  });
}

export const handler = middy<unknown>()
  .use(injectLambdaContext(logger))
  .use(logMetrics(metrics))
  .handler(run);
