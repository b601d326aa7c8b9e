import { once } from 'node:events';
import { createServer, type OutgoingHttpHeaders, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { debeziumImage } from '../../../../local/stage/doctor/checkup.ts';
import { resolveDigest } from '../../../../local/stage/doctor/image-digest.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;
const PATH = '/v2/debezium/connect/manifests/3.7.0.Final';
let server: Server | undefined;

/** A registry that answers as told. */
async function registry(answer: RequestListener): Promise<string> {
  server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function resolve(url: string): Promise<string> {
  return resolveDigest({ registry: url, repository: 'debezium/connect', tag: '3.7.0.Final' });
}

afterEach(() => {
  server?.close();
});

describe("a tag's digest", () => {
  it('is what the registry says of the manifest list', async () => {
    const url = await registry((request, response) => {
      const listed = request.headers.accept?.includes('manifest.list.v2+json');
      const known = request.method === 'HEAD' && request.url === PATH && listed;
      response.writeHead(known ? 200 : 400, { 'docker-content-digest': DIGEST }).end();
    });
    expect(await resolve(url)).toBe(DIGEST);
  });

  it('is read with a token where the registry wants one, without an account', async () => {
    const url = await registry((request, response) => {
      const address = `http://${request.headers.host}`;
      if (request.url?.startsWith('/token?')) {
        const asked = new URL(request.url, address).searchParams;
        const token = `${asked.get('service')} ${asked.get('scope')}`;
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ token }));
      } else if (request.headers.authorization === 'Bearer reg repository:debezium/connect:pull') {
        response.writeHead(200, { 'docker-content-digest': DIGEST }).end();
      } else {
        const challenge = `Bearer realm="${address}/token",service="reg",scope="repository:debezium/connect:pull"`;
        response.writeHead(401, { 'www-authenticate': challenge }).end();
      }
    });
    expect(await resolve(url)).toBe(DIGEST);
  });

  it.each([
    [404, {}, /has no debezium\/connect:3\.7\.0\.Final/],
    [500, {}, /answered 500/],
    [200, {}, /without a Docker-Content-Digest/],
    [200, { 'docker-content-digest': 'latest' }, /without a Docker-Content-Digest/],
    [401, { 'www-authenticate': 'Basic' }, /asks for a login/],
  ])('is never guessed: %d %j', async (status, headers, message) => {
    const url = await registry((_, response) => {
      response.writeHead(status, { ...headers } as OutgoingHttpHeaders).end();
    });
    await expect(resolve(url)).rejects.toThrow(message);
  });
});

describe("the stage's Debezium", () => {
  it('is the version that the twin runs', () => {
    expect(debeziumImage()).toMatchObject({ repository: 'debezium/connect', tag: '3.7.0.Final' });
  });
});
