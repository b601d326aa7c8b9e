import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { z } from 'zod';
import type { SourceConnection } from '../cdc/connector-config.ts';

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
  const read = shape.safeParse(parsed(text));
  if (read.success) return read.data;
  const fields = read.error.issues.map(({ path }) => path.join('.') || 'JSON object').join(', ');
  // Never the issue's text or the value: it could repeat a password.
  throw new Error(`The secret ${id} is not usable; check these fields: ${fields}.`);
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
