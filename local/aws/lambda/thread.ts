/** Runs in a sandbox's thread: loads the handler and calls it with one event after the other, as Lambda's runtime. */

import { parentPort, workerData } from 'node:worker_threads';
import { type Invocation, LOADED, type Outcome, type SandboxData, SYNC_PAYLOAD_BYTES } from './function.ts';

type Handler = (event: unknown, context: object, callback: Callback) => unknown;
type Callback = (error?: unknown, result?: unknown) => void;

const sandbox = workerData as SandboxData;
const port = parentPort;
if (!port) throw new Error('thread.ts runs in a worker thread');

const handler = loadHandler();
const loaded = () => port.postMessage(LOADED);
handler.then(loaded, loaded); // an error is told to each invocation

port.on('message', async (invocation: Invocation) => {
  port.postMessage(await outcomeOf(invocation));
});

async function loadHandler(): Promise<Handler> {
  const module: unknown = await import(sandbox.handler);
  const { handler: exported } = module as { handler?: unknown };
  if (typeof exported !== 'function') {
    throw namedError('Runtime.HandlerNotFound', `handler is undefined or not exported by ${sandbox.handler}`);
  }
  return exported as Handler;
}

async function outcomeOf(invocation: Invocation): Promise<Outcome> {
  try {
    const result = await call(await handler, invocation);
    return withinLimit(JSON.stringify(result) ?? 'null');
  } catch (error) {
    return { payload: JSON.stringify(describe(error)), error: true };
  }
}

function call(run: Handler, invocation: Invocation): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const callback: Callback = (error, result) => (error ? reject(error) : resolve(result));
    const returned = run(JSON.parse(invocation.event), contextOf(invocation, callback), callback);
    // A handler without callback parameter answers by what it returns, a promise or not.
    if (returned instanceof Promise || run.length < 3) Promise.resolve(returned).then(resolve, reject);
  });
}

/** The context object of Node.js functions (https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html). */
function contextOf({ requestId, deadlineMs }: Invocation, callback: Callback): object {
  return {
    awsRequestId: requestId,
    callbackWaitsForEmptyEventLoop: true,
    functionName: sandbox.functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: sandbox.functionArn,
    memoryLimitInMB: String(sandbox.memoryMb),
    logGroupName: process.env['AWS_LAMBDA_LOG_GROUP_NAME'],
    logStreamName: process.env['AWS_LAMBDA_LOG_STREAM_NAME'],
    getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
    done: callback,
    fail: (error: unknown) => callback(error),
    succeed: (result: unknown) => callback(undefined, result),
  };
}

function withinLimit(payload: string): Outcome {
  if (Buffer.byteLength(payload) <= SYNC_PAYLOAD_BYTES) return { payload, error: false };
  const error = namedError(
    'Function.ResponseSizeTooLarge',
    `Response payload size exceeded maximum allowed payload size (${SYNC_PAYLOAD_BYTES} bytes).`,
  );
  return { payload: JSON.stringify({ errorType: error.name, errorMessage: error.message }), error: true };
}

/** An error as Lambda's Node.js runtime answers it. */
function describe(error: unknown): { errorType: string; errorMessage: string; trace: string[] } {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') };
}

function namedError(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}
