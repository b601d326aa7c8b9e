import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GlueApi, type GlueOptions } from './glue.ts';
import { sendJson } from './http.ts';
import { MskApi } from './kafka.ts';
import { LambdaApi, type LambdaOptions } from './lambda/api.ts';
import type { FunctionDefinition } from './lambda/function.ts';
import { passOn } from './pass-on.ts';
import { FolderS3 } from './s3/server.ts';

export type EndpointOptions = {
  /** 0 takes a free one. */
  port: number;
  /** moto's server, which answers every service but Lambda, Glue's jobs and S3. */
  motoUrl: string;
  /** Folder with one folder a bucket. */
  lakeFolder: string;
  glue: GlueOptions;
  lambda: LambdaOptions;
  /** Set: answers MSK with this broker, host:port. */
  kafkaBroker?: string;
};

/** The running endpoint. `url` is what AWS_ENDPOINT_URL takes: an IP address, so that SDKs speak path-style S3. */
export type Endpoint = {
  url: string;
  /** Deploys a function or a new version of one. */
  deploy(name: string, definition: FunctionDefinition): void;
  close(): Promise<void>;
};

/** Which of the endpoint's parts answers a request. */
export type Route = { to: 'health' | 's3' | 'lambda' | 'kafka' | 'moto' } | { to: 'glue'; target: string };

/** One AWS endpoint for everything: Lambda with the real handlers, Glue with the Spark worker, S3 on a folder, else moto. */
export async function startEndpoint(options: EndpointOptions): Promise<Endpoint> {
  const s3 = new FolderS3(options.lakeFolder);
  const glue = new GlueApi(options.glue);
  const lambda = new LambdaApi(options.lambda, () => urlOf(server.address()));
  const kafka = options.kafkaBroker === undefined ? undefined : new MskApi(options.kafkaBroker);
  const server = createServer((request, response) => {
    const route = routeOf(request, (target) => glue.answers(target));
    if (route.to === 'health') sendJson(response, 200, { status: 'ready' });
    else if (route.to === 's3') void s3.serve(request, response);
    else if (route.to === 'lambda') void lambda.serve(request, response);
    else if (route.to === 'kafka' && kafka?.answers(request)) void kafka.serve(request, response);
    else if (route.to === 'glue') void glue.serve(route.target, request, response);
    else passOn(options.motoUrl, request, response);
  });
  // A warm connection is worth more than its socket; SDKs keep theirs open.
  server.keepAliveTimeout = 60_000;
  server.requestTimeout = 0;
  server.listen({ port: options.port, host: '127.0.0.1' });
  await once(server, 'listening');
  lambda.warmUp();
  return {
    url: urlOf(server.address()),
    deploy: (name, definition) => lambda.deploy(name, definition),
    async close() {
      server.closeAllConnections();
      server.close();
      await Promise.all([once(server, 'close'), lambda.close()]);
    },
  };
}

/**
 * By the service in the signature's scope (`Credential=<key>/<date>/<region>/s3/aws4_request`), which every SDK sends,
 * in the header or in a presigned URL.
 */
export function routeOf(
  request: Pick<IncomingMessage, 'url' | 'headers'>,
  isGlueTarget: (target: string) => boolean,
): Route {
  const url = request.url ?? '/';
  if (url === '/health') return { to: 'health' };
  const target = String(request.headers['x-amz-target'] ?? '');
  if (isGlueTarget(target)) return { to: 'glue', target };
  const service = serviceOf(request.headers.authorization, url);
  if (service === 's3') return { to: isBucketSetting(url) ? 'moto' : 's3' };
  if (service === 'lambda') return { to: 'lambda' };
  if (service === 'kafka') return { to: 'kafka' };
  return { to: 'moto' };
}

/** How a bucket is set up is moto's to keep: `/<bucket>?versioning` and the like. */
const BUCKET_SETTINGS =
  /^\/[^/?]+\/?\?(?:.*&)?(accelerate|encryption|lifecycle|notification|ownershipControls|policy|policyStatus|publicAccessBlock|tagging|versioning)(?:[=&]|$)/;

function isBucketSetting(url: string): boolean {
  return BUCKET_SETTINGS.test(url);
}

function serviceOf(authorization: string | undefined, url: string): string | undefined {
  const scope = /Credential=[^/]+\/\d{8}\/[^/]*\/([^/]+)\/aws4_request/;
  const presigned = /[?&]X-Amz-Credential=([^&]+)/.exec(url)?.[1];
  const told = authorization ?? (presigned && `Credential=${decodeURIComponent(presigned)}`) ?? '';
  return scope.exec(told)?.[1];
}

function urlOf(address: string | AddressInfo | null): string {
  if (address === null || typeof address === 'string') throw new Error('The endpoint is not listening');
  return `http://127.0.0.1:${address.port}`;
}
