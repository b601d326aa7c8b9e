import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GlueClient } from '@aws-sdk/client-glue';
import { SFNClient } from '@aws-sdk/client-sfn';
import middy from '@middy/core';
import { z } from 'zod';
import { loadConfig } from './config.ts';
import { LockTable } from './lock-table.ts';
import { isExecutionOn, jobsOf, stopJobs } from './remains.ts';
import { type Acquired, acquire, type LockPorts, type Released, release } from './run-lock.ts';

const eventShape = z.object({
  action: z.enum(['acquire', 'release']),
  /** Which lock; one for everything that writes the lake. */
  lock: z.string().min(1),
  /** ARN of the execution. */
  owner: z.string().min(1),
  /** Name of the execution, which is its jobs' --run_id. */
  run_id: z.string().min(1),
});

const config = loadConfig(process.env);
const logger = new Logger({ serviceName: 'run-lock' });
const locks = new LockTable(new DynamoDBClient({}), config.table);
const glue = new GlueClient({});
const sfn = new SFNClient({});

/** Takes the run lock for an execution, or gives it back. */
async function run(event: unknown): Promise<Acquired | Released> {
  const { action, lock, owner, run_id: runId } = eventShape.parse(event);
  const ports = portsOf(lock);
  const answer =
    action === 'acquire'
      ? await acquire(ports, { owner, runId, takenAt: new Date().toISOString() })
      : await release(ports, { owner, runId });
  logger.info(`${action} ${lock}`, { runId, ...answer });
  return answer;
}

function portsOf(lock: string): LockPorts {
  return {
    take: (by) => locks.take(lock, by),
    takeOver: (by, from) => locks.takeOver(lock, by, from),
    release: (owner) => locks.release(lock, owner),
    isExecutionOn: (owner) => isExecutionOn(sfn, owner),
    jobsOf: (runId) => jobsOf(glue, config.jobNames, runId),
    stopJobs: (jobs) => stopJobs(glue, jobs),
  };
}

export const handler = middy<unknown>().use(injectLambdaContext(logger)).handler(run);
