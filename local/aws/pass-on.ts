import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { sendJson } from './http.ts';

/** Sends the request on to moto as it is and the answer back as it is. */
export function passOn(motoUrl: string, request: IncomingMessage, response: ServerResponse): void {
  const onward = httpRequest(
    new URL(request.url ?? '/', motoUrl),
    { method: request.method, headers: request.headers },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  onward.on('error', (error) => {
    if (response.headersSent) response.destroy();
    else
      sendJson(response, 503, {
        __type: 'ServiceUnavailable',
        message: `moto doesn't answer: ${error.message}`,
      });
  });
  response.on('close', () => onward.destroy());
  request.pipe(onward);
}

/** moto's whole answer to a request whose body has been read. */
export async function askMoto(motoUrl: string, request: IncomingMessage, body: Buffer): Promise<Response> {
  const {
    host,
    connection,
    'content-length': length,
    'transfer-encoding': coding,
    expect,
    ...headers
  } = request.headers;
  return fetch(new URL(request.url ?? '/', motoUrl), {
    method: request.method ?? 'GET',
    headers: headers as Record<string, string>,
    ...(body.length > 0 ? { body } : {}),
  });
}
