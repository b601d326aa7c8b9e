import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a function is asked: its `action` and whatever goes with it. */
export type Asked = { action: string } & Record<string, unknown>;

/** An answer, or an error that the function throws. */
export type Answer = { result: unknown } | { error: { name: string; message: string } };

/**
 * Stands for functions that need a database or Kafka Connect, which these tests don't have: the machines are tested
 * against every answer that they may give. Functions and services together are tested in tests/local.
 */
export class PlannedFunctions {
  /** Everything asked so far. */
  readonly asked: (Asked & { function: string })[] = [];
  /** Decides about an answer. */
  answer: (name: string, asked: Asked) => Answer | Promise<Answer> = (name) => ({
    error: { name: 'Unplanned', message: `${name} has no plan` },
  });
  readonly #server: Server;

  constructor() {
    this.#server = createServer(async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
      const name = (request.url ?? '').slice(1);
      const asked = JSON.parse(Buffer.concat(parts).toString()) as Asked;
      this.asked.push({ function: name, ...asked });
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify(await this.answer(name, asked)));
    });
  }

  async listen(): Promise<string> {
    this.#server.listen({ port: 0, host: '127.0.0.1' });
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The actions asked of a function so far, in order. */
  actionsOf(name: string): string[] {
    return this.asked.filter((asked) => asked.function === name).map(({ action }) => action);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
