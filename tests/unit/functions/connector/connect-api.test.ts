import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConnectApi } from '../../../../functions/connector/connect-api.ts';

/** What the worker answers, one after the other, and the requests that it got. */
let answers: [status: number, body: object][];
let asked: string[];
let server: Server;
let api: ConnectApi;

beforeEach(async () => {
  answers = [];
  asked = [];
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const [status, body] = answers.shift() ?? [404, {}];
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  api = new ConnectApi(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

describe('a request that meets a rebalance', () => {
  it.each([
    [409, 'Cannot complete request momentarily due to stale configuration'],
    [503, 'This worker is still starting up'],
    // As Connect answered GET /connectors/<name>/config on a machine that was too busy for its heartbeats.
    [500, 'Request cannot be completed because a rebalance is expected'],
  ])('is repeated, told by %s', async (status, message) => {
    answers = [
      [status, { error_code: status, message }],
      [200, { name: 'c' }],
    ];
    expect(await api.config('c')).toEqual({ name: 'c' });
    expect(asked).toEqual(Array(2).fill('GET /connectors/c/config'));
  });
});

describe('any other error of Connect', () => {
  it('is told at once in its own words', async () => {
    answers = [[500, { error_code: 500, message: 'No such plugin' }]];
    await expect(api.put('c', {})).rejects.toThrow(
      'Kafka Connect refused PUT /connectors/c/config (500): No such plugin',
    );
    expect(asked).toHaveLength(1);
  });
});
