import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { loadConfig } from '../../../../functions/connector/config.ts';
import { readConnection, readText } from '../../../../functions/connector/secret.ts';

const environment = {
  STAGE: 'dev',
  CONNECT_URL: 'http://connect:8083',
  SOURCE_SECRET_ID: 'source',
  REPLICATION_SECRET_ID: 'replication',
  UNAVAILABLE_PLACEHOLDER_SECRET_ARN: 'placeholder',
};

describe('the environment of the connector function', () => {
  it('gives the registry of the package and the stage', () => {
    const config = loadConfig(environment);
    expect(config.deployment).toEqual({ project: 'cdc_demo', stage: 'dev' });
    expect(config.registry.tables.map(({ id }) => id)).toContain('public.orders');
  });

  it('names everything that is missing or wrong at once', () => {
    const wrong = { ...environment, CONNECT_URL: 'connect:8083', SOURCE_SECRET_ID: '', STAGE: undefined };
    const load = () => loadConfig(wrong as NodeJS.ProcessEnv);
    expect(load).toThrow(/STAGE is missing/);
    expect(load).toThrow(/CONNECT_URL must begin with http/);
    expect(load).toThrow(/SOURCE_SECRET_ID is empty/);
  });
});

describe('the secrets of the connector function', () => {
  const secrets = mockClient(SecretsManagerClient);
  const client = new SecretsManagerClient({ region: 'us-east-1' });
  const holds = (id: string, text: string) =>
    secrets.on(GetSecretValueCommand, { SecretId: id }).resolves({ SecretString: text });

  afterEach(() => {
    secrets.reset();
  });

  it("give address and role, and leave the password to the worker's environment", async () => {
    holds(
      'source',
      JSON.stringify({ host: 'db', port: '5433', dbname: 'shop', username: 'a', password: 'b' }),
    );
    holds('replication', JSON.stringify({ username: 'replicator', password: 'hush' }));
    const connection = await readConnection(client, {
      sourceSecretId: 'source',
      replicationSecretId: 'replication',
    });
    expect(connection).toEqual({
      host: 'db',
      port: 5433,
      database: 'shop',
      user: 'replicator',
      password: '${' + 'env:SOURCE_PASSWORD}',
      sslmode: 'verify-full',
    });
  });

  it('are named with the field that is wrong, never with their content', async () => {
    holds('source', JSON.stringify({ host: '', dbname: 'shop', password: 'hush' }));
    const reading = readConnection(client, { sourceSecretId: 'source', replicationSecretId: 'replication' });
    await expect(reading).rejects.toThrow('The secret source is not usable; check these fields: host.');
    holds('source', 'hush');
    await expect(
      readConnection(client, { sourceSecretId: 'source', replicationSecretId: 'replication' }),
    ).rejects.toThrow('check these fields: JSON object.');
  });

  it('must hold a text', async () => {
    secrets.on(GetSecretValueCommand).resolves({});
    await expect(readText(client, 'placeholder')).rejects.toThrow('The secret placeholder holds no text');
  });
});
