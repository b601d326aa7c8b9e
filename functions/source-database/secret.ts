import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { z } from 'zod';
import type { SourceConnection } from '../cdc/connector-config.ts';
import { parseSecret } from '../cdc/secret-text.ts';
import { isWhole, type KnownAddress, type SourceAddress, sourceAddress } from './address.ts';

const credentials = z.object({ username: z.string().min(1), password: z.string().min(1) });

/** Where the source's secrets are. */
export type SourceSecrets = {
  /** The owner's user and password, and whatever the environment doesn't say of the address. */
  sourceSecretId: string;
  /** Name and password of the replication role. */
  replicationSecretId: string;
};

/** Name and password of the replication role; `versionId` when it isn't the current version that is asked for. */
export type Role = { name: string; password: string };

/**
 * How the owner's user reaches the source.
 * @throws Error that names the secret and its missing fields
 */
export async function ownerConnection(
  client: SecretsManagerClient,
  { sourceSecretId }: Pick<SourceSecrets, 'sourceSecretId'>,
  known: KnownAddress,
): Promise<SourceConnection> {
  const text = await readText(client, sourceSecretId);
  const { username, password } = parseSecret(sourceSecretId, text, credentials);
  return { ...sourceAddress(known, sourceSecretId, text), user: username, password };
}

/** How the replication role reaches the source. @throws as `ownerConnection` */
export async function roleConnection(
  client: SecretsManagerClient,
  ids: SourceSecrets,
  known: KnownAddress,
): Promise<SourceConnection> {
  const { name, password } = await readRole(client, ids.replicationSecretId);
  return { ...(await readAddress(client, ids.sourceSecretId, known)), user: name, password };
}

/** The address alone; the secret isn't read where the environment says it all. */
export async function readAddress(
  client: SecretsManagerClient,
  sourceSecretId: string,
  known: KnownAddress,
): Promise<SourceAddress> {
  const text = isWhole(known) ? undefined : await readText(client, sourceSecretId);
  return sourceAddress(known, sourceSecretId, text);
}

/** The replication role. @param versionId of the secret; the current one when left out */
export async function readRole(client: SecretsManagerClient, id: string, versionId?: string): Promise<Role> {
  const { username, password } = parseSecret(id, await readText(client, id, versionId), credentials);
  return { name: username, password };
}

/** The text of a secret. @throws Error when it has none */
export async function readText(
  client: SecretsManagerClient,
  id: string,
  versionId?: string,
): Promise<string> {
  const { SecretString: text } = await client.send(
    new GetSecretValueCommand({ SecretId: id, ...(versionId === undefined ? {} : { VersionId: versionId }) }),
  );
  if (!text) throw new Error(`The secret ${id} holds no text; set its value.`);
  return text;
}
