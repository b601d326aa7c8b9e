import { setTimeout as pause } from 'node:timers/promises';
import { LambdaClient } from '@aws-sdk/client-lambda';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  RotateSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { Client } from 'pg';
import { refuseUninvited } from './eventbridge.ts';
import { tailOf } from './log.ts';
import { logOf, type World } from './world.ts';

const ROTATED_WITHIN_MS = 300_000;
const LOOK_EVERY_MS = 200;

/** PostgreSQL's code for a login that is refused: https://www.postgresql.org/docs/15/errcodes-appendix.html */
export const WRONG_PASSWORD = '28P01';

/** The role that Debezium logs in as. */
export type ReplicationRole = { username: string; password: string };

/** The role as the secret says it now. */
export async function replicationRole({ clients }: World, secret: string): Promise<ReplicationRole> {
  const { SecretString = '' } = await new SecretsManagerClient(clients).send(
    new GetSecretValueCommand({ SecretId: secret }),
  );
  return JSON.parse(SecretString) as ReplicationRole;
}

/** Logs in to the source and out again. @throws DatabaseError of `pg` when PostgreSQL refuses */
export async function logIn(world: World, { username, password }: ReplicationRole): Promise<void> {
  const url = new URL(world.database.admin);
  url.username = username;
  url.password = password;
  const client = new Client({ connectionString: url.href });
  try {
    await client.connect();
  } finally {
    await client.end();
  }
}

/**
 * Asks Secrets Manager for a rotation at once and waits for its last step.
 * @throws Error when the function may not be invoked by it, or a step failed
 */
export async function rotate(world: World, secret: string): Promise<void> {
  const secrets = new SecretsManagerClient(world.clients);
  const before = await secrets.send(new DescribeSecretCommand({ SecretId: secret }));
  const functionArn = before.RotationLambdaARN ?? '';
  await refuseUninvited(new LambdaClient(world.clients), functionArn, 'secretsmanager.amazonaws.com', secret);
  const { VersionId = '' } = await secrets.send(new RotateSecretCommand({ SecretId: secret }));
  for (const deadline = Date.now() + ROTATED_WITHIN_MS; ; await pause(LOOK_EVERY_MS)) {
    const now = await secrets.send(new DescribeSecretCommand({ SecretId: secret }));
    const isCurrent = now.VersionIdsToStages?.[VersionId]?.includes('AWSCURRENT');
    if (isCurrent && now.LastRotatedDate !== undefined) return;
    if (Date.now() > deadline) {
      const logs = ['moto', 'functions'].map((name) => tailOf(logOf(world, name)));
      throw new Error(
        `The rotation of ${secret} did not end in ${ROTATED_WITHIN_MS / 1000} s:\n${logs.join('\n')}`,
      );
    }
  }
}
