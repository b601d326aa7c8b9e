import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { KafkaClient } from '@aws-sdk/client-kafka';
import { LambdaClient } from '@aws-sdk/client-lambda';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { outcomeOf } from './answer.ts';
import { readSender } from './request.ts';
import { responseText } from './response.ts';
import { sendResponse } from './send-response.ts';

/** Left for the response, with its repetitions, when the time runs out. */
const RESPONSE_MS = 40_000;
/** Lambda's longest run: an invoked function may take that long. */
const INVOCATION_TIMEOUT_MS = 15 * 60 * 1000;

const logger = new Logger({ serviceName: 'custom-resource' });
const clients = {
  lambda: new LambdaClient({ requestHandler: { requestTimeout: INVOCATION_TIMEOUT_MS } }),
  kafka: new KafkaClient({}),
};

/** Answers CloudFormation for the other functions, which know nothing of it. */
async function run(event: unknown, context: Context): Promise<{ status: string; reason: string | null }> {
  const sender = readSender(event);
  const within = Math.max(context.getRemainingTimeInMillis() - RESPONSE_MS, 1);
  const outcome = await outcomeOf(event, sender, clients, within);
  const text = responseText(sender, outcome);
  const { Status: status, Reason: reason = null } = JSON.parse(text) as { Status: string; Reason?: string };
  logger[status === 'SUCCESS' ? 'info' : 'error'](reason ?? 'done', {
    resource: sender.LogicalResourceId,
    status,
  });
  await sendResponse(sender.ResponseURL, text);
  return { status, reason };
}

export const handler = middy<unknown>().use(injectLambdaContext(logger)).handler(run);
