import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { connectionOf, lookAtSource } from '../../../../functions/preflight/look.ts';

const secrets = mockClient(SecretsManagerClient);
const client = new SecretsManagerClient({ region: 'us-east-1' });
const bySecrets = {
  address: { host: undefined, port: undefined, database: undefined, sslmode: undefined },
  secrets: { sourceSecretId: 'source', replicationSecretId: 'replication' },
};

afterEach(() => {
  secrets.reset();
});

describe('how preflight reaches the source', () => {
  it('is never told in the error of a secret that is no JSON', async () => {
    secrets.on(GetSecretValueCommand).resolves({ SecretString: 'hush' });
    await expect(connectionOf(bySecrets, client)).rejects.toThrow(
      'The secret replication is not usable; check these fields: JSON object.',
    );
  });

  it.each(['prefer', 'require', 'verify-ca'])(
    'keeps the sslmode %s of its URL or secret',
    async (sslmode) => {
      const parts = { host: 'db', port: 5432, password: 'p', sslmode };
      secrets
        .on(GetSecretValueCommand)
        .resolves({ SecretString: JSON.stringify({ ...parts, dbname: 'shop', username: 'u' }) });
      const connection = { ...parts, database: 'shop', user: 'u' };
      expect(await connectionOf(bySecrets, client)).toEqual(connection);
      const url = `postgresql://u:p@db/shop?sslmode=${sslmode}`;
      expect(await connectionOf({ url }, client)).toEqual(connection);
    },
  );

  it('is told by an sslmode that is none', async () => {
    const connection = await connectionOf({ url: 'postgresql://u:p@db/shop?sslmode=always' }, client);
    expect(await lookAtSource(connection, 'slot')).toEqual({
      unreachable: expect.stringContaining('sslmode=always is not one of'),
    });
  });

  it('encrypts by "prefer" where the server can, and reaches one that can not', async () => {
    const refusing = createServer((socket) => {
      // An SSLRequest has 8 bytes, and "N" says that there is no TLS; whatever follows is the start in plain text.
      socket.on('data', (bytes) =>
        bytes.length === 8 ? socket.write('N') : starts.push(bytes) && socket.end(),
      );
    });
    const starts: Buffer[] = [];
    await once(refusing.listen(0, '127.0.0.1'), 'listening');
    try {
      const { port } = refusing.address() as AddressInfo;
      const look = async (sslmode: string) =>
        lookAtSource(
          await connectionOf({ url: `postgresql://u:p@127.0.0.1:${port}/shop?sslmode=${sslmode}` }, client),
          's',
        );
      expect(await look('require')).toEqual({ unreachable: 'The server does not support SSL connections' });
      expect(starts).toHaveLength(0);
      await look('prefer');
      expect(starts).toHaveLength(1);
    } finally {
      await new Promise((closed) => refusing.close(closed));
    }
  });
});
