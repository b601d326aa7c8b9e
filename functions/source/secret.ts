import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { z } from 'zod';
import type { SourceConnection } from '../cdc/connector-config.ts';
import { parseSecret } from '../cdc/secret-text.ts';

/** Amazon RDS writes its secrets in this form; `sslmode` is ours, and encrypted with a verified host by default. */
const connectionSecret = z.object({
  host: z.string().min(1),
  port: z.coerce.number().int().default(5432),
  dbname: z.string().min(1),
  username: z.string().min(1),
  password: z.string().min(1),
  sslmode: z.string().default('verify-full'),
});

const roleSecret = z.object({ username: z.string().min(1), password: z.string().min(1) });

/** Address, user and password of the source. @throws Error that names the secret and its missing fields. */
export async function readConnection(client: SecretsManagerClient, id: string): Promise<SourceConnection> {
  const { host, port, dbname, username, password, sslmode } = await readSecret(client, id, connectionSecret);
  return { host, port, database: dbname, user: username, password, sslmode };
}

/** Name and password of the replication role. @throws Error that names the secret and its missing fields. */
export async function readRole(
  client: SecretsManagerClient,
  id: string,
): Promise<{ name: string; password: string }> {
  const { username, password } = await readSecret(client, id, roleSecret);
  return { name: username, password };
}

async function readSecret<Shape extends z.ZodType>(
  client: SecretsManagerClient,
  id: string,
  shape: Shape,
): Promise<z.output<Shape>> {
  const { SecretString: text } = await client.send(new GetSecretValueCommand({ SecretId: id }));
  return parseSecret(id, text, shape);
}
