import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import middy from '@middy/core';
import { platformTables, slotName } from '../cdc/connector-config.ts';
import { glueDatabase } from '../cdc/names.ts';
import { SourceUnreachableError } from '../source-database/connection.ts';
import { roleConnection } from '../source-database/secret.ts';
import { type Assessment, assess, type SlotMeasures } from './assess.ts';
import { loadConfig } from './config.ts';
import { lookAtSlot } from './look.ts';

const UNITS = {
  SlotLagBytes: MetricUnit.Bytes,
  SlotBudgetUsed: MetricUnit.Percent,
  SlotActive: MetricUnit.Count,
  HeartbeatAge: MetricUnit.Seconds,
} as const satisfies Record<keyof SlotMeasures, string>;

const config = loadConfig(process.env);
const logger = new Logger({ serviceName: 'slot-monitor' });
const metrics = new Metrics({ namespace: glueDatabase(config), serviceName: 'slot-monitor' });
const secrets = new SecretsManagerClient({});
const slot = slotName(config);
const { heartbeat } = platformTables(config);

/** Measures how much of the source's log the slot holds back, and says what to do when it is too much. */
async function run(): Promise<Assessment> {
  const assessment = await measured();
  for (const [name, value] of Object.entries(assessment.measures) as [keyof SlotMeasures, number][]) {
    metrics.addMetric(name, UNITS[name], value);
  }
  metrics.publishStoredMetrics();
  if (assessment.problem !== null) logger.error(assessment.problem);
  logger.info('slot measured', { slot, ...assessment.measures });
  return assessment;
}

/** A source that doesn't answer is a finding, not a failure: nothing streams from it either. */
async function measured(): Promise<Assessment> {
  const connection = await roleConnection(secrets, config.secrets, config.address);
  try {
    return assess(slot, await lookAtSlot(connection, slot, heartbeat), config.budget);
  } catch (error) {
    if (!(error instanceof SourceUnreachableError)) throw error;
    return { measures: { SlotActive: 0 }, problem: error.message };
  }
}

export const handler = middy<unknown>().use(injectLambdaContext(logger)).handler(run);
