import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { FirehoseClient } from '@aws-sdk/client-firehose';
import { KafkaClient } from '@aws-sdk/client-kafka';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { PipesClient } from '@aws-sdk/client-pipes';
import middy from '@middy/core';
import { glueDatabase } from '../cdc/names.ts';
import { Causes } from './causes.ts';
import { loadConfig } from './config.ts';
import { type Lag, largestLag } from './consumer-lag.ts';
import { findPipes, startPipe } from './pipes.ts';
import { type Verdict, verdictOn } from './verdict.ts';

/** A pipe that does not run, and what was done about it. */
type Judged = Verdict & { pipe: string };

const config = loadConfig(process.env);
const logger = new Logger({ serviceName: 'pipe-keeper' });
const metrics = new Metrics({ namespace: glueDatabase(config), serviceName: 'pipe-keeper' });
const pipes = new PipesClient({});
const cloudWatch = new CloudWatchClient({});
const clients = {
  kafka: new KafkaClient({}),
  lambda: new LambdaClient({}),
  firehose: new FirehoseClient({}),
};

/** Looks after the pipes: those that errors stopped are started again once their cause is gone. */
async function run(): Promise<{ pipes: number; notRunning: Judged[]; lag: Lag | null }> {
  const now = new Date();
  const { count, stopped } = await findPipes(pipes, `${config.prefix}-`);
  const causes = new Causes(clients);
  const notRunning: Judged[] = [];
  for (const pipe of stopped) {
    const verdict = await started(pipe.name, verdictOn(pipe, await causes.of(pipe), now));
    notRunning.push({ pipe: pipe.name, ...verdict });
  }
  const lag = await largestLag(cloudWatch, config.prefix, now);
  report(notRunning, lag);
  return { pipes: count, notRunning, lag };
}

/** Starts a pipe whose verdict asks for it; what EventBridge says against it is the verdict then. */
async function started(name: string, verdict: Verdict): Promise<Verdict> {
  if (verdict.what !== 'start') return verdict;
  try {
    await startPipe(pipes, name);
    return verdict;
  } catch (error) {
    return { what: 'blocked', why: `${verdict.why}; it can't be started: ${(error as Error).message}` };
  }
}

function report(notRunning: readonly Judged[], lag: Lag | null): void {
  const number = (what: Verdict['what']) => notRunning.filter((judged) => judged.what === what).length;
  metrics.addMetric('PipesNotRunning', MetricUnit.Count, notRunning.length - number('paused'));
  metrics.addMetric('PipesPaused', MetricUnit.Count, number('paused'));
  metrics.addMetric('PipesRestarted', MetricUnit.Count, number('start'));
  if (lag !== null) metrics.addMetric('MaxConsumerLag', MetricUnit.Count, lag.records);
  metrics.publishStoredMetrics();
  for (const { pipe, what, why } of notRunning) {
    const level = what === 'paused' || what === 'moving' ? 'info' : 'warn';
    logger[level](
      what === 'start' ? `pipe ${pipe} is started again: ${why}` : `pipe ${pipe} does not run: ${why}`,
    );
  }
}

export const handler = middy<unknown>().use(injectLambdaContext(logger)).handler(run);
