import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { z } from 'zod';
import { SOURCE_PASSWORD_REFERENCE, type SourceConnection } from '../cdc/connector-config.ts';

/** Amazon RDS writes its secrets in this form; `sslmode` is ours, encrypted with a verified host by default. */
const addressSecret = z.object({
  host: z.string().min(1),
  port: z.coerce.number().int().default(5432),
  dbname: z.string().min(1),
  sslmode: z.string().default('verify-full'),
});

const roleSecret = z.object({ username: z.string().min(1) });

/**
 * How the connector reaches the source. The password stays with the worker, so that neither Connect's configuration
 * topic nor its REST interface holds it.
 * @throws Error that names the secret and its missing fields
 */
export async function readConnection(
  client: SecretsManagerClient,
  ids: { sourceSecretId: string; replicationSecretId: string },
): Promise<SourceConnection> {
  const address = await readJson(client, ids.sourceSecretId, addressSecret);
  const { username } = await readJson(client, ids.replicationSecretId, roleSecret);
  const { host, port, dbname, sslmode } = address;
  return { host, port, database: dbname, user: username, password: SOURCE_PASSWORD_REFERENCE, sslmode };
}

/** The text of a secret. @throws Error when it has none */
export async function readText(client: SecretsManagerClient, id: string): Promise<string> {
  const { SecretString: text } = await client.send(new GetSecretValueCommand({ SecretId: id }));
  if (!text) throw new Error(`The secret ${id} holds no text; set its value.`);
  return text;
}

async function readJson<Shape extends z.ZodType>(
  client: SecretsManagerClient,
  id: string,
  shape: Shape,
): Promise<z.output<Shape>> {
  const read = shape.safeParse(parsed(await readText(client, id)));
  if (read.success) return read.data;
  const fields = read.error.issues.map(({ path }) => path.join('.') || 'JSON object').join(', ');
  // Never the value: it could repeat a password.
  throw new Error(`The secret ${id} is not usable; check these fields: ${fields}.`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
