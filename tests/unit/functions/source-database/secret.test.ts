import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { z } from 'zod';
import { ADDRESS_VARIABLES, knownAddress } from '../../../../functions/source-database/address.ts';
import {
  ownerConnection,
  readAddress,
  readText,
  roleConnection,
} from '../../../../functions/source-database/secret.ts';

const secrets = mockClient(SecretsManagerClient);
const client = new SecretsManagerClient({ region: 'us-east-1' });
const ids = { sourceSecretId: 'source', replicationSecretId: 'replication' };
/** What Amazon RDS keeps for a user that it manages. */
const managed = { username: 'shop', password: 'hush' };
const whole = { ...managed, host: 'db', port: '5433', dbname: 'shop', sslmode: 'require' };

beforeEach(() => {
  secrets.reset();
  holds('source', managed);
  holds('replication', { username: 'replicator', password: 'hush too' });
});

function holds(id: string, value: unknown): void {
  const SecretString = typeof value === 'string' ? value : JSON.stringify(value);
  secrets.on(GetSecretValueCommand, { SecretId: id }).resolves({ SecretString });
}

function known(variables: Record<string, string>) {
  return knownAddress(z.object(ADDRESS_VARIABLES).parse(variables));
}

describe('the way to the source', () => {
  it('is told by a secret that has it all', async () => {
    holds('source', whole);
    const address = { host: 'db', port: 5433, database: 'shop', sslmode: 'require' };
    expect(await ownerConnection(client, ids, known({}))).toEqual({
      ...address,
      user: 'shop',
      password: 'hush',
    });
    expect(await roleConnection(client, ids, known({}))).toEqual({
      ...address,
      user: 'replicator',
      password: 'hush too',
    });
  });

  it('is told by the environment where the secret has only a user', async () => {
    const variables = { SOURCE_HOST: 'db.rds', SOURCE_PORT: '', SOURCE_DATABASE: 'shop', SOURCE_SSLMODE: '' };
    expect(await ownerConnection(client, ids, known(variables))).toEqual({
      host: 'db.rds',
      port: 5432,
      database: 'shop',
      sslmode: 'verify-full',
      user: 'shop',
      password: 'hush',
    });
  });

  it('is what the environment says where both say something', async () => {
    holds('source', whole);
    const address = await readAddress(
      client,
      'source',
      known({ SOURCE_HOST: 'other', SOURCE_SSLMODE: 'verify-ca' }),
    );
    expect(address).toEqual({ host: 'other', port: 5433, database: 'shop', sslmode: 'verify-ca' });
  });

  it("needs no look at the owner's secret when the environment has it all", async () => {
    await roleConnection(client, ids, known({ SOURCE_HOST: 'db', SOURCE_DATABASE: 'shop' }));
    const read = secrets.commandCalls(GetSecretValueCommand).map(({ args: [{ input }] }) => input.SecretId);
    expect(read).toEqual(['replication']);
  });

  it('is missed by name, in both places', async () => {
    await expect(readAddress(client, 'source', known({ SOURCE_HOST: 'db' }))).rejects.toThrow(
      "Neither the secret source nor the environment says the source's dbname (SOURCE_DATABASE); set one of the two.",
    );
  });

  it('is never told in an error', async () => {
    for (const [value, fields] of [
      ['hush', 'JSON object'],
      [{ username: '', password: 'hush' }, 'username'],
    ] as const) {
      holds('source', value);
      const failure = await ownerConnection(client, ids, known({})).catch((error: Error) => error.message);
      expect(failure).toBe(`The secret source is not usable; check these fields: ${fields}.`);
    }
  });

  it.each([{ SOURCE_PORT: '0' }, { SOURCE_PORT: 'no' }, { SOURCE_SSLMODE: 'always' }])(
    'refuses the variable %j',
    (variables) => {
      expect(() => known(variables as unknown as Record<string, string>)).toThrow();
    },
  );
});

describe('the text of a secret', () => {
  it('must be there', async () => {
    secrets.on(GetSecretValueCommand).resolves({});
    await expect(readText(client, 'placeholder')).rejects.toThrow('The secret placeholder holds no text');
  });

  it('is that of a version when one is named', async () => {
    secrets.on(GetSecretValueCommand, { SecretId: 'x', VersionId: 'v2' }).resolves({ SecretString: 'new' });
    expect(await readText(client, 'x', 'v2')).toBe('new');
  });
});
