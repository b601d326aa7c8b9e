import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { z } from 'zod';
import { SOURCE_PASSWORD_REFERENCE, type SourceConnection } from '../cdc/connector-config.ts';
import { parseSecret } from '../cdc/secret-text.ts';

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
  const address = await readSecret(client, ids.sourceSecretId, addressSecret);
  const { username } = await readSecret(client, ids.replicationSecretId, roleSecret);
  const { host, port, dbname, sslmode } = address;
  return { host, port, database: dbname, user: username, password: SOURCE_PASSWORD_REFERENCE, sslmode };
}

/** The text of a secret. @throws Error when it has none */
export async function readText(client: SecretsManagerClient, id: string): Promise<string> {
  const { SecretString: text } = await client.send(new GetSecretValueCommand({ SecretId: id }));
  if (!text) throw new Error(`The secret ${id} holds no text; set its value.`);
  return text;
}

async function readSecret<Shape extends z.ZodType>(
  client: SecretsManagerClient,
  id: string,
  shape: Shape,
): Promise<z.output<Shape>> {
  return parseSecret(id, await readText(client, id), shape);
}
