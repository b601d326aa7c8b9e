import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { EnrichConfig } from './config.ts';

/**
 * Debezium's placeholder: from the environment, or from its secret, whose whole text it is. It never changes,
 * so once a cold start is enough.
 * @throws Error when the secret can't be read or is empty
 */
export async function resolvePlaceholder(
  placeholder: EnrichConfig['placeholder'],
  secrets: SecretsManagerClient,
): Promise<string> {
  if ('value' in placeholder) return placeholder.value;
  const { secretArn } = placeholder;
  let text: string | undefined;
  try {
    ({ SecretString: text } = await secrets.send(new GetSecretValueCommand({ SecretId: secretArn })));
  } catch (error) {
    throw new Error(`The placeholder's secret ${secretArn} can't be read; check the function's role`, {
      cause: error,
    });
  }
  if (!text)
    throw new Error(`The placeholder's secret ${secretArn} is empty; the connector's token belongs there`);
  return text;
}
