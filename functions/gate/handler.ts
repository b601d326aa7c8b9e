import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { S3Client } from '@aws-sdk/client-s3';
import middy from '@middy/core';
import { z } from 'zod';
import { alertIdentity } from '../cdc/alert-identity.ts';
import { type AlertMessage, alertMessage, type Machine, type RunState } from '../cdc/alert-message.ts';
import { glueDatabase, type Job, reportKey } from '../cdc/names.ts';
import { type GateAnswer, verdictOf, verdictWithoutReport } from '../cdc/report.ts';
import { isNews } from './alert-memory.ts';
import { loadConfig } from './config.ts';
import { readReport } from './read-report.ts';
import { addReport } from './report-metrics.ts';

const judge = z.object({
  action: z.literal('judge'),
  run_id: z.string().min(1),
  layer: z.enum(['bronze', 'silver', 'gold', 'maintenance']),
});

const explain = z.object({
  action: z.literal('explain'),
  /** Which state machine it is that went wrong. */
  what: z.enum(['medallion', 'maintenance', 'backfill', 'cost-guard']).default('medallion'),
  run_id: z.string().min(1),
  execution: z.string().min(1),
  /** All that the run's states have answered so far. */
  state: z.looseObject({}),
});

const eventShape = z.discriminatedUnion('action', [judge, explain]);

const config = loadConfig(process.env);
const logger = new Logger({ serviceName: 'gate' });
const metrics = new Metrics({ namespace: glueDatabase(config), serviceName: 'gate' });
const s3 = new S3Client({});

/** Judges a layer by its job's report, or explains a run that went wrong in the words of an alert. */
async function run(event: unknown): Promise<GateAnswer | (AlertMessage & { tell: boolean })> {
  const asked = eventShape.parse(event);
  if (asked.action === 'judge') return judgeLayer(asked.run_id, asked.layer);
  const { project, stage, bucket } = config;
  const place = {
    project,
    stage,
    bucket,
    what: asked.what,
    runId: asked.run_id,
    executionArn: asked.execution,
  };
  const state = asked.state as RunState;
  return { ...alertMessage(place, state), tell: await mustBeTold(asked.what, asked.run_id, state) };
}

/** The medallion starts by itself every few minutes, and what breaks one run mostly breaks the next. */
async function mustBeTold(what: Machine, run: string, state: RunState): Promise<boolean> {
  if (what !== 'medallion') return true;
  try {
    return await isNews(s3, config.bucket, { identity: alertIdentity(state), run }, new Date());
  } catch (error) {
    logger.warn('the alert is sent whether or not it was sent before', { error });
    return true;
  }
}

async function judgeLayer(runId: string, layer: Job): Promise<GateAnswer> {
  const key = reportKey(runId, layer);
  const report = await readReport(s3, config.bucket, key);
  const answer = report ? verdictOf(report) : verdictWithoutReport(layer, key);
  addReport(metrics, answer, report);
  logger[answer.verdict === 'fail' ? 'error' : 'info'](answer.reason, { runId, ...answer });
  return answer;
}

export const handler = middy<unknown>().use(injectLambdaContext(logger)).handler(run);
