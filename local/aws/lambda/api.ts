import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { devNull } from 'node:os';
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BodyTooLarge, readBody, ServiceError, sendJson } from '../http.ts';
import { type DeploymentOptions, Deployments } from './deployments.ts';
import {
  ACCOUNT,
  ASYNC_PAYLOAD_BYTES,
  type FunctionDefinition,
  functionNameOf,
  type Outcome,
  SYNC_PAYLOAD_BYTES,
} from './function.ts';
import { Sandbox } from './sandbox.ts';

/** An account's concurrent executions by default, here for each function. */
const CONCURRENCY = 10;

type Deployed = { definition: FunctionDefinition; idle: Sandbox[]; busy: Set<Sandbox>; concurrency: number };

/** Everything a handler's process finds in its environment beside the function's own variables. */
export type LambdaOptions = {
  region: string;
  /** By deployed name, e.g. `cdc-demo-dev-gate`. */
  functions: Readonly<Record<string, FunctionDefinition>>;
  /** What went wrong with an event that nobody waits for. */
  onLostEvent: (functionName: string, error: string) => void;
  /** Start one sandbox of each function at once, as provisioned concurrency does: the first call then isn't cold. */
  warm: boolean;
  /** What functions write to stdout and stderr: their logs and metrics. */
  onOutput: (functionName: string, text: string) => void;
  /** Set: functions can be made, changed and deleted through the API, as a deployment does. */
  deployments?: DeploymentOptions;
};

/** Lambda's API on the real handlers: Invoke, and the reserved concurrency by which AWS throttles a function. */
export class LambdaApi {
  readonly #deployed = new Map<string, Deployed>();
  readonly #options: LambdaOptions;
  readonly #endpointUrl: () => string;
  readonly #deployments: Deployments | undefined;

  constructor(options: LambdaOptions, endpointUrl: () => string) {
    this.#options = options;
    this.#endpointUrl = endpointUrl;
    this.#deployments =
      options.deployments &&
      new Deployments(options.deployments, (name, definition) => {
        if (definition === null) this.#undeploy(name);
        else this.deploy(name, definition);
      });
    for (const [name, definition] of Object.entries(options.functions)) this.deploy(name, definition);
  }

  /** To be called when the endpoint has its address, which a sandbox's environment holds. */
  warmUp(): void {
    if (!this.#options.warm) return;
    for (const [name, { definition, idle }] of this.#deployed) idle.push(this.#start(name, definition));
  }

  /** Deploys a function or a new version of it; warm sandboxes of the old one are dropped. */
  deploy(name: string, definition: FunctionDefinition): void {
    for (const sandbox of this.#deployed.get(name)?.idle ?? []) void sandbox.stop();
    this.#deployed.set(name, { definition, idle: [], busy: new Set(), concurrency: CONCURRENCY });
  }

  #undeploy(name: string): void {
    for (const sandbox of this.#deployed.get(name)?.idle ?? []) void sandbox.stop();
    this.#deployed.delete(name);
  }

  /** Answers one request; never rejects. */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = randomUUID();
    const headers = { 'x-amzn-requestid': requestId };
    try {
      await this.#answer(request, response, requestId);
    } catch (error) {
      const told =
        error instanceof ServiceError
          ? error
          : new ServiceError(500, 'ServiceException', (error as Error).message);
      const body = {
        Type: told.status < 500 ? 'User' : 'Service',
        Message: told.message,
        message: told.message,
      };
      sendJson(response, told.status, body, { ...headers, 'x-amzn-errortype': told.type });
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse, requestId: string): Promise<void> {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const invoked = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(path)?.[1];
    if (invoked !== undefined && request.method === 'POST') {
      return this.#invoke(decodeURIComponent(invoked), request, response, requestId);
    }
    const reserved = /^\/(?:2017-10-31|2019-09-30)\/functions\/([^/]+)\/concurrency$/.exec(path)?.[1];
    if (reserved !== undefined) {
      return this.#reserve(decodeURIComponent(reserved), request, response);
    }
    if (this.#deployments) return this.#deployments.serve(request, response);
    throw new ServiceError(
      501,
      'NotImplemented',
      `The twin's Lambda answers Invoke and reserved concurrency, not ${request.method} ${path}`,
    );
  }

  async #invoke(
    asked: string,
    request: IncomingMessage,
    response: ServerResponse,
    requestId: string,
  ): Promise<void> {
    const name = functionNameOf(asked);
    const type = String(request.headers['x-amz-invocation-type'] ?? 'RequestResponse');
    const event = await eventOf(request, type);
    const deployed = this.#find(name);
    const headers = { 'x-amzn-requestid': requestId, 'x-amz-executed-version': '$LATEST' };
    if (type === 'DryRun') {
      response.writeHead(204, headers).end();
    } else if (type === 'Event') {
      void this.#runUnawaited(name, deployed, event, requestId);
      response.writeHead(202, { ...headers, 'content-length': 0 }).end();
    } else {
      const { payload, error } = await this.#run(name, deployed, event, requestId);
      sendJson(response, 200, payload, {
        ...headers,
        ...(error ? { 'x-amz-function-error': 'Unhandled' } : {}),
      });
    }
  }

  /** Lambda would try again twice and then use a dead-letter queue; here the event is lost, and said to be. */
  async #runUnawaited(name: string, deployed: Deployed, event: string, requestId: string): Promise<void> {
    try {
      const outcome = await this.#run(name, deployed, event, requestId);
      if (outcome.error) this.#options.onLostEvent(name, outcome.payload);
    } catch (error) {
      this.#options.onLostEvent(name, (error as Error).message);
    }
  }

  async #run(name: string, deployed: Deployed, event: string, requestId: string): Promise<Outcome> {
    if (deployed.busy.size >= deployed.concurrency) {
      throw new ServiceError(429, 'TooManyRequestsException', 'Rate Exceeded.');
    }
    const sandbox = deployed.idle.pop() ?? this.#start(name, deployed.definition);
    deployed.busy.add(sandbox);
    try {
      const timeoutMs = deployed.definition.timeoutSeconds * 1000;
      return await sandbox.run({ requestId, event, timeoutMs });
    } finally {
      deployed.busy.delete(sandbox);
      const current = this.#deployed.get(name) === deployed;
      if (current && !sandbox.dead) deployed.idle.push(sandbox);
      else if (!sandbox.dead) await sandbox.stop();
    }
  }

  #start(name: string, definition: FunctionDefinition): Sandbox {
    const { region } = this.#options;
    const handler = isAbsolute(definition.handler)
      ? pathToFileURL(definition.handler).href
      : definition.handler;
    const data = {
      handler,
      functionName: name,
      functionArn: `arn:aws:lambda:${region}:${ACCOUNT}:function:${name}`,
      memoryMb: definition.memoryMb,
    };
    const environment = {
      ...systemEnvironment(),
      // https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
      AWS_REGION: region,
      AWS_DEFAULT_REGION: region,
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
      AWS_LAMBDA_FUNCTION_NAME: name,
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(definition.memoryMb),
      AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
      AWS_LAMBDA_LOG_STREAM_NAME: `local/[$LATEST]${randomUUID().replaceAll('-', '')}`,
      // Credentials of the twin's own account, never this machine's.
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_ENDPOINT_URL: this.#endpointUrl(),
    };
    return new Sandbox(definition, data, environment, (text) => this.#options.onOutput(name, text));
  }

  async #reserve(asked: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const deployed = this.#find(functionNameOf(asked));
    if (request.method === 'PUT') {
      const body = JSON.parse((await readBody(request, ASYNC_PAYLOAD_BYTES)).toString('utf8'));
      deployed.concurrency = Number(body.ReservedConcurrentExecutions);
      sendJson(response, 200, { ReservedConcurrentExecutions: deployed.concurrency });
    } else if (request.method === 'DELETE') {
      deployed.concurrency = CONCURRENCY;
      response.writeHead(204).end();
    } else {
      sendJson(response, 200, { ReservedConcurrentExecutions: deployed.concurrency });
    }
  }

  #find(name: string): Deployed {
    const deployed = this.#deployed.get(name);
    if (deployed) return deployed;
    const known = [...this.#deployed.keys()].join(', ');
    throw new ServiceError(
      404,
      'ResourceNotFoundException',
      `Function not found: arn:aws:lambda:${this.#options.region}:${ACCOUNT}:function:${name}; the twin has ${known}`,
    );
  }

  /** Ends every sandbox. */
  async close(): Promise<void> {
    const sandboxes = [...this.#deployed.values()].flatMap(({ idle, busy }) => [...idle, ...busy]);
    await Promise.all(sandboxes.map((sandbox) => sandbox.stop()));
  }
}

/** The event's JSON text; Lambda gives a function without payload `{}`. */
async function eventOf(request: IncomingMessage, type: string): Promise<string> {
  const limit = type === 'Event' ? ASYNC_PAYLOAD_BYTES : SYNC_PAYLOAD_BYTES;
  const body = await readBody(request, limit).catch((error: unknown) => {
    if (!(error instanceof BodyTooLarge)) throw error;
    const message = `Request must be smaller than ${limit} bytes for the InvokeFunction operation`;
    throw new ServiceError(413, 'RequestTooLargeException', message);
  });
  const event = body.length === 0 ? '{}' : body.toString('utf8');
  try {
    JSON.parse(event);
  } catch (error) {
    const message = `Could not parse request body into json: ${(error as Error).message}`;
    throw new ServiceError(400, 'InvalidRequestContentException', message);
  }
  return event;
}

/** What a process needs to run at all; nothing else of this one's environment or AWS configuration reaches a handler. */
function systemEnvironment(): Record<string, string> {
  const kept = ['PATH', 'LANG', 'TMPDIR'].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return {
    ...Object.fromEntries(kept),
    TZ: 'UTC',
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
  };
}
