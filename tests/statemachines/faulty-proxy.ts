import { once } from 'node:events';
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * Passes requests on to moto, except that the next SNS Publish calls fail with these error codes, one after the other,
 * that one action is refused, that the next looks at a database find it in these states (moto's databases are never busy),
 * and that alarms come page by page (moto's come all at once).
 */
export class FaultyProxy {
  publishErrors: string[] = [];
  databaseStates: string[] = [];
  /** An action that is refused each time, e.g. UpdateService. */
  refused: string | null = null;
  /** Alarms in a page of their list, as Step Functions asks for it; null: all at once. */
  alarmsPerPage: number | null = null;
  readonly #server: Server;

  constructor(motoUrl: string) {
    this.#server = createServer(async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
      const body = Buffer.concat(parts);
      if (this.publishErrors.length > 0 && body.includes('Action=Publish')) {
        const code = this.publishErrors.shift();
        const xml = `<ErrorResponse><Error><Type>Receiver</Type><Code>${code}</Code><Message>as planned</Message></Error><RequestId>0</RequestId></ErrorResponse>`;
        response.writeHead(500, { 'content-type': 'text/xml' }).end(xml);
        return;
      }
      if (this.refused !== null && String(request.headers['x-amz-target']).endsWith(`.${this.refused}`)) {
        const error = { __type: 'AccessDeniedException', message: `not allowed to ${this.refused}` };
        const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': '0' };
        response.writeHead(400, headers).end(JSON.stringify(error));
        return;
      }
      const looks = body.includes('Action=DescribeDBInstances');
      const state = looks ? this.databaseStates.shift() : undefined;
      if (state !== undefined) {
        const xml = `<DescribeDBInstancesResponse><DescribeDBInstancesResult><DBInstances><DBInstance><DBInstanceStatus>${state}</DBInstanceStatus></DBInstance></DBInstances></DescribeDBInstancesResult></DescribeDBInstancesResponse>`;
        response.writeHead(200, { 'content-type': 'text/xml' }).end(xml);
        return;
      }
      if (
        this.alarmsPerPage !== null &&
        String(request.headers['x-amz-target']).endsWith('.DescribeAlarms')
      ) {
        const { NextToken: from = '0' } = JSON.parse(body.toString()) as { NextToken?: string };
        const { host, connection, 'content-length': length, ...headers } = request.headers;
        const asked = { method: 'POST', headers: headers as Record<string, string>, body };
        const { MetricAlarms } = (await (await fetch(motoUrl, asked)).json()) as { MetricAlarms: unknown[] };
        const next = Number(from) + this.alarmsPerPage;
        const page = {
          MetricAlarms: MetricAlarms.slice(Number(from), next),
          ...(next < MetricAlarms.length && { NextToken: String(next) }),
        };
        response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(page));
        return;
      }
      const onward = httpRequest(
        new URL(request.url ?? '/', motoUrl),
        { method: request.method, headers: request.headers },
        (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        },
      );
      onward.on('error', () => response.destroy());
      onward.end(body);
    });
  }

  async listen(): Promise<string> {
    this.#server.listen({ port: 0, host: '127.0.0.1' });
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
