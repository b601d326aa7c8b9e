import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import type { SourceConnection } from '../../functions/cdc/connector-config.ts';
import { parseRegistry } from '../../functions/cdc/registry.ts';
import { sourceConnection } from '../../functions/cdc/source-url.ts';
import { type RotationPorts, rotate } from '../../functions/rotate-secret/rotate.ts';
import { replicationRole, sourceSettings } from '../../functions/source/config.ts';
import { withCurrentRole } from '../../functions/source/current-role.ts';
import { setRolePassword, tryRole } from '../../functions/source/role-password.ts';
import { prepareSource } from '../../functions/source/source.ts';
import { createSampleSchema } from '../../local/sample/load.ts';
import { PROJECT_ROOT } from '../../local/state.ts';
import { type RealPostgres, startRealPostgres } from './real-postgres.ts';

const registry = parseRegistry(readFileSync(join(PROJECT_ROOT, 'tables.yml'), 'utf8'));
const deployment = { project: 'cdc_test', stage: 'rotation' };
const name = replicationRole(deployment);
const STEPS = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;

let server: RealPostgres;
let admin: SourceConnection;

/** The secret: its versions by their id, and which of them is current. Secrets Manager's own part of a rotation. */
let passwords: Record<string, string>;
let current: string;
let connectStarts: number;

const role = async (version = current) => ({ name, password: passwords[version] as string });
const ports: RotationPorts = {
  isPending: async (version) => version !== current,
  create: async (version) => {
    passwords[version] ??= `password-of-${version}`;
  },
  makeCurrent: async (version) => {
    current = version;
  },
  source: async (action, version) => {
    const act = action === 'set-password' ? setRolePassword : tryRole;
    await act(admin, await role(version));
  },
  restartConnect: async () => {
    connectStarts += 1;
  },
};
const step = (Step: (typeof STEPS)[number], with_: RotationPorts = ports) =>
  rotate({ Step, ClientRequestToken: 'new' }, with_);

/** What a deployment asks of the source function. */
const deploy = () =>
  withCurrentRole(role, (now) => prepareSource(admin, sourceSettings(deployment, registry.tables, now)));

beforeAll(async () => {
  server = await startRealPostgres('rotation');
  admin = sourceConnection(server.urls.admin);
  await createSampleSchemaIn(sourceConnection(server.urls.shop));
});

beforeEach(async () => {
  passwords = { old: 'password-of-old' };
  current = 'old';
  connectStarts = 0;
  expect(await deploy()).toMatchObject({ ok: true });
});

afterAll(() => server?.close());

async function createSampleSchemaIn(shop: SourceConnection): Promise<void> {
  const client = new pg.Client(shopSettings(shop));
  await client.connect();
  await createSampleSchema(client);
  await client.end();
}

function shopSettings({ host, port, database, user, password }: SourceConnection): pg.ClientConfig {
  return { host, port, database, user, password };
}

/** Everybody who reads the secret now may log in: functions, and a Connect that starts. */
async function expectAgreement(): Promise<void> {
  await expect(tryRole(admin, await role())).resolves.toBeUndefined();
}

describe('a rotation on a real PostgreSQL', () => {
  it('lets who reads the secret log in between any two steps, and keeps who is connected', async () => {
    const debezium = new pg.Client({ ...shopSettings(admin), user: name, password: passwords['old'] });
    await debezium.connect();
    for (const one of STEPS) {
      await step(one);
      await expectAgreement();
    }
    expect(current).toBe('new');
    expect(connectStarts).toBe(1);
    expect((await debezium.query('SELECT 1 AS alive')).rows).toEqual([{ alive: 1 }]);
    await debezium.end();
    await expect(tryRole(admin, await role('old'))).rejects.toThrow('password authentication failed');
  });

  it.each(STEPS)('ends with one password for all when a deployment comes after %s', async (moment) => {
    for (const one of STEPS) {
      await step(one);
      if (one !== moment) continue;
      expect(await deploy()).toMatchObject({ ok: true, findings: [] });
      await expectAgreement();
    }
    expect(current).toBe('new');
    await expectAgreement();
  });

  it('goes back to the current password when a deployment sets it in the middle of setSecret, and works when repeated', async () => {
    await step('createSecret');
    const disturbed: RotationPorts = {
      ...ports,
      source: async (action, version) => {
        await ports.source(action, version);
        if (action === 'set-password' && version === 'new') await deploy();
      },
    };
    await expect(step('setSecret', disturbed)).rejects.toThrow(/The role has the current password again/);
    expect(current).toBe('old');
    await expectAgreement();
    await step('setSecret');
    expect(current).toBe('new');
    await expectAgreement();
  });

  it('ends with one password for all when a deployment set the old one just before the new one became current', async () => {
    await step('createSecret');
    const late: RotationPorts = {
      ...ports,
      makeCurrent: async (version) => {
        await setRolePassword(admin, await role('old'));
        await ports.makeCurrent(version);
      },
    };
    await step('setSecret', late);
    await expect(step('testSecret')).rejects.toThrow('password authentication failed');
    // Secrets Manager does not go on to finishSecret then, but begins again.
    for (const one of STEPS) await step(one);
    await expectAgreement();
  });

  it('is seen by a deployment that began before it: the new password stays', async () => {
    await step('createSecret');
    let rotated = false;
    const answer = await withCurrentRole(role, async (now) => {
      if (!rotated) await step('setSecret');
      rotated = true;
      return prepareSource(admin, sourceSettings(deployment, registry.tables, now));
    });
    expect(answer).toMatchObject({ ok: true });
    expect(current).toBe('new');
    await expectAgreement();
  });
});
