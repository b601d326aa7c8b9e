import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { connectionOf } from '../../../../functions/preflight/look.ts';

const secrets = mockClient(SecretsManagerClient);
const client = new SecretsManagerClient({ region: 'us-east-1' });

afterEach(() => {
  secrets.reset();
});

describe('how preflight reaches the source', () => {
  it('is never told in the error of a secret that is no JSON', async () => {
    secrets.on(GetSecretValueCommand).resolves({ SecretString: 'hush' });
    await expect(connectionOf({ secretId: 'source' }, client)).rejects.toThrow(
      'The secret source is not usable; check these fields: JSON object.',
    );
  });
});
