import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  applyConnector,
  awaitSnapshot,
  ConnectorFailedError,
  readCondition,
} from '../../../../functions/connector/apply.ts';
import { ConnectApi } from '../../../../functions/connector/connect-api.ts';
import { incrementalOf } from '../../../../functions/connector/incremental.ts';

/** The REST protocol alone; tests/local runs the same functions against Kafka Connect itself. */
type Answer = { status?: number; body: unknown };
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function connect(
  answer: (request: string) => Answer,
): Promise<{ api: ConnectApi; requests: string[] }> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const line = `${request.method} ${request.url}`;
    requests.push(line);
    const { status = 200, body } = answer(line);
    response.writeHead(status).end(JSON.stringify(body));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { api: new ConnectApi(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), requests };
}

const config = { 'connector.class': 'io.debezium.connector.postgresql.PostgresConnector', 'tasks.max': '1' };

describe('putting a connector', () => {
  it('repeats a request that met a rebalance', async () => {
    let refusals = 2;
    const { api, requests } = await connect((request) => {
      if (!request.startsWith('GET')) return { body: { configs: [] } };
      refusals -= 1;
      return refusals >= 0
        ? { status: 409, body: { message: 'rebalance' } }
        : { status: 404, body: { message: 'none' } };
    });
    expect(await applyConnector(api, 'c', config)).toBe('created');
    expect(requests.filter((line) => line === 'GET /connectors/c/config')).toHaveLength(3);
  });

  it('puts nothing when the configuration is there already', async () => {
    const { api, requests } = await connect(() => ({ body: { name: 'c', ...config } }));
    expect(await applyConnector(api, 'c', config)).toBe('unchanged');
    expect(requests).toEqual(['GET /connectors/c/config']);
  });

  it('puts nothing that the plugin refuses, and says why', async () => {
    const { api, requests } = await connect((request) =>
      request.startsWith('GET')
        ? { status: 404, body: {} }
        : { body: { configs: [{ value: { name: 'slot.name', errors: ['is invalid'] } }] } },
    );
    await expect(applyConnector(api, 'c', config)).rejects.toThrow(/slot\.name: is invalid/);
    expect(requests).not.toContain('PUT /connectors/c/config');
  });

  it('says which request a dead worker did not answer', async () => {
    const { api } = await connect(() => ({ body: {} }));
    const server = servers.pop() as Server;
    await new Promise((resolve) => server.close(resolve));
    await expect(api.status('c')).rejects.toThrow(/does not answer GET \/connectors\/c\/status/);
  });
});

describe('looking at a connector', () => {
  it("finds neither state nor offsets of one that isn't there, so that nobody waits for it", async () => {
    const { api } = await connect(() => ({ status: 404, body: { message: 'Connector c not found' } }));
    expect(await readCondition(api, 'c')).toMatchObject({ state: 'absent' });
    expect(incrementalOf(await api.offsets('c'), '17')).toEqual({ seen: false, running: false, tables: [] });
  });
});

describe('waiting for the snapshot', () => {
  it('restarts a failed task up to the limit, then gives its reason', async () => {
    const trace = 'io.debezium.DebeziumException: no WAL';
    const failed = { id: 0, state: 'FAILED', worker_id: 'w', trace };
    let restarting = 0;
    const { api, requests } = await connect((request) => {
      if (request.endsWith('/offsets')) return { body: { offsets: [] } };
      // As Connect does: the old failure is shown once more before the restart is seen.
      if (request.startsWith('POST')) restarting = 3;
      else restarting -= 1;
      const state = restarting === 1 ? 'RESTARTING' : 'FAILED';
      return { body: { connector: { state: 'RUNNING', worker_id: 'w' }, tasks: [{ ...failed, state }] } };
    });
    const waiting = awaitSnapshot(api, 'c', { withinMs: 20_000, restarts: 2 });
    await expect(waiting).rejects.toThrow(ConnectorFailedError);
    await expect(waiting).rejects.toThrow('The connector c failed 3 times: DebeziumException: no WAL');
    expect(requests.filter((line) => line.startsWith('POST'))).toHaveLength(2);
  });
});
