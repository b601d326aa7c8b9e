import type { IncomingMessage, ServerResponse } from 'node:http';

/** An answer of a service that is an error, by the service's own name for it. */
export class ServiceError extends Error {
  readonly status: number;
  readonly type: string;

  constructor(status: number, type: string, message: string) {
    super(message);
    this.status = status;
    this.type = type;
  }
}

/** A body longer than its limit (bytes). */
export class BodyTooLarge extends Error {
  override name = 'BodyTooLarge';
}

/** The whole body of a request. Throws BodyTooLarge, having read no more than `limit` bytes into memory. */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes <= limit) parts.push(part);
  }
  if (bytes > limit) throw new BodyTooLarge(`${bytes} bytes, more than the ${limit} allowed`);
  return Buffer.concat(parts);
}

/** Answers with JSON; `body` may be its text. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': bytes.length,
    ...headers,
  });
  response.end(bytes);
}
