/** An AWS that knows who asks and refuses all else, each service in its own protocol, as a role without rights meets it. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const ACCOUNT = '123456789012';
const CALLER = `arn:aws:sts::${ACCOUNT}:assumed-role/visitor/ada`;

export type Refusal = { status: number; code: string; message: string };

export const ACCESS_DENIED: Refusal = {
  status: 403,
  code: 'AccessDeniedException',
  message: `User: ${CALLER} is not authorized to perform: this`,
};

export type DenyingAws = { url: string; refusal: Refusal; close(): Promise<void> };

export async function startDenyingAws(): Promise<DenyingAws> {
  const server: Server = createServer((request, response) => void answer(request, response, aws.refusal));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const aws: DenyingAws = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    refusal: ACCESS_DENIED,
    async close() {
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  };
  return aws;
}

async function answer(request: IncomingMessage, response: ServerResponse, refusal: Refusal): Promise<void> {
  let body = '';
  for await (const chunk of request) body += chunk;
  const { status, code, message } = refusal;
  if (body.includes('Action=GetCallerIdentity')) {
    response.setHeader('content-type', 'text/xml');
    response.end(`<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>${CALLER}</Arn><UserId>A:ada</UserId><Account>${ACCOUNT}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`);
  } else if (request.headers['content-type']?.startsWith('application/x-www-form-urlencoded')) {
    response.writeHead(status, { 'content-type': 'text/xml' });
    response.end(
      `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>r-1</RequestId></ErrorResponse>`,
    );
  } else {
    response.writeHead(status, { 'content-type': 'application/json', 'x-amzn-errortype': code });
    response.end(JSON.stringify({ __type: code, message }));
  }
}
