import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ConnectApi } from '../../../../functions/connector/connect-api.ts';
import { keepConnector } from '../../../../functions/connector/keep.ts';
import { RestartLimit } from '../../../../functions/connector/restart-limit.ts';

/** Failures that Kafka Connect itself can't be made to have at will; tests/local keeps a real connector. */
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const config = {
  'connector.class': 'io.debezium.connector.postgresql.PostgresConnector',
  'tasks.max': '1',
  'transforms.epoch.value.literal': '1',
};
const failed = {
  connector: { state: 'RUNNING', worker_id: 'a' },
  tasks: [{ id: 0, state: 'FAILED', worker_id: 'a', trace: 'org.x.ConnectException: no slot\n\tat X' }],
};

/** Connect whose connector runs for a moment after each restart, and fails again. */
async function failing(errors: string[] = [], current: object | null = { ...config, name: 'c' }) {
  let restarts = 0;
  let put = 0;
  let recovering = false;
  const status = () => {
    if (current === null) return undefined;
    const running = recovering;
    recovering = false;
    return running ? { ...failed, tasks: [{ ...failed.tasks[0], state: 'RUNNING' }] } : failed;
  };
  const server = createServer((request, response) => {
    const line = `${request.method} ${request.url?.split('?')[0]}`;
    if (line === 'POST /connectors/c/restart') {
      restarts += 1;
      recovering = true;
    }
    if (line === 'PUT /connectors/c/config') put += 1;
    const body: Record<string, unknown> = {
      'GET /connectors/c/config': current ?? undefined,
      'GET /connectors/c/status': line.endsWith('/status') ? status() : undefined,
      'GET /connectors/c/offsets': { offsets: [] },
      'PUT /connector-plugins/PostgresConnector/config/validate': {
        configs: [{ value: { name: 'slot.name', errors } }],
      },
      'PUT /connectors/c/config': {},
      'POST /connectors/c/restart': {},
    };
    if (body[line] === undefined) response.writeHead(404);
    response.end(JSON.stringify(body[line] ?? { message: 'not found' }));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const api = new ConnectApi(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return { api, restarts: () => restarts, put: () => put };
}

describe('keeping a connector', () => {
  it('says when nothing answers, and is no failure itself', async () => {
    const { api } = await failing();
    servers.splice(0)[0]?.close();
    expect(await keepConnector(api, 'c', config, new RestartLimit(6))).toEqual({
      applied: 'unreachable',
      condition: null,
      failedTasks: 0,
      restarts: 0,
      problem: expect.stringMatching(/^Kafka Connect at .* does not answer GET/),
    });
  });

  it('puts no connector back that was taken away: it would begin with a snapshot', async () => {
    const { api } = await failing([], null);
    const kept = await keepConnector(api, 'c', config, new RestartLimit(6));
    expect(kept).toMatchObject({ applied: 'absent', condition: { state: 'absent' }, restarts: 0 });
    expect(kept.problem).toContain('Raise epoch in tables.yml and deploy');
  });

  it('starts nothing again when the hour has had its restarts, and says so', async () => {
    const { api, restarts } = await failing();
    expect(await keepConnector(api, 'c', config, new RestartLimit(0))).toEqual({
      applied: 'unchanged',
      condition: { state: 'failed', snapshot: 'pending', error: 'ConnectException: no slot' },
      failedTasks: 1,
      restarts: 0,
      problem:
        'The connector c has failed: ConnectException: no slot. It failed too often in this hour and is not tried again now.',
    });
    expect(restarts()).toBe(0);
  });

  it('starts what has failed again once a look, as long as the hour allows', async () => {
    const { api, restarts } = await failing();
    const limit = new RestartLimit(2);
    const looks = [];
    for (let look = 0; look < 3; look += 1) looks.push(await keepConnector(api, 'c', config, limit));
    expect(looks.map((kept) => kept.restarts)).toEqual([1, 1, 0]);
    expect(restarts()).toBe(2);
  });

  it('gives a connector of another epoch no settings: it would go on in the old one with them', async () => {
    const { api, put } = await failing();
    const changed = { ...config, 'database.hostname': 'restored' };
    const raised = { ...changed, 'transforms.epoch.value.literal': '2' };
    expect((await keepConnector(api, 'c', raised, new RestartLimit(0))).applied).toBe('unchanged');
    expect(put()).toBe(0);
    expect((await keepConnector(api, 'c', changed, new RestartLimit(0))).applied).toBe('changed');
    expect(put()).toBe(1);
  });

  it('leaves what runs when the plugin refuses the new configuration', async () => {
    const { api } = await failing(['is in use'], { ...config, name: 'c', 'slot.name': 'old' });
    const kept = await keepConnector(api, 'c', config, new RestartLimit(0));
    expect(kept.applied).toBe('refused');
    expect(kept.problem).toContain('slot.name: is in use');
  });
});

describe('the limit of restarts', () => {
  it('is of the last hour', () => {
    let now = 0;
    const limit = new RestartLimit(3, () => now);
    limit.count(2);
    now = 30 * 60_000;
    limit.count(1);
    expect(limit.left()).toBe(0);
    now = 60 * 60_000;
    expect(limit.left()).toBe(2);
  });
});
