import { afterAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Context } from 'aws-lambda';
import { mockClient } from 'aws-sdk-client-mock';

/** Nobody listens there. */
const nowhere = {
  SOURCE_HOST: '127.0.0.1',
  SOURCE_PORT: '1',
  SOURCE_DATABASE: 'shop',
  SOURCE_SSLMODE: 'disable',
};
const environment = { ...process.env };

beforeEach(() => {
  for (const level of ['info', 'warn', 'error'] as const) jest.spyOn(console, level).mockReturnValue();
});
afterAll(() => {
  process.env = environment;
});

/** The function as it starts with such an environment. */
async function answer(owner: 'stack' | 'others', event: object): Promise<unknown> {
  jest.resetModules();
  Object.assign(process.env, nowhere, {
    STAGE: 'dev',
    SOURCE_SECRET_ID: 'source',
    REPLICATION_SECRET_ID: 'replication',
    SOURCE_OWNER: owner,
    AWS_REGION: 'us-east-1',
    POWERTOOLS_DEV: 'true',
  });
  // The handler reads its environment once, and its client is of the same modules.
  const { GetSecretValueCommand, SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
  const secret = { SecretString: '{"username":"shop","password":"hush"}' };
  mockClient(SecretsManagerClient).on(GetSecretValueCommand).resolves(secret);
  const { handler } = await import('../../../../functions/source/handler.ts');
  return handler(event, { functionName: 'source', awsRequestId: '1' } as Context);
}

describe('taking away from a source that does not answer', () => {
  it("is done when the database is the stack's own: slot and database go together", async () => {
    expect(await answer('stack', { action: 'remove' })).toEqual({
      ok: true,
      done: [],
      script: null,
      reason: null,
    });
  });

  it('fails when it is not: its slot would fill its disk', async () => {
    await expect(answer('others', { action: 'remove' })).rejects.toThrow(
      /^Can't connect to the source shop at 127.0.0.1:1 as shop/,
    );
  });
});
