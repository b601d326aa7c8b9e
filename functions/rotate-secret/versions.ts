import {
  DescribeSecretCommand,
  GetRandomPasswordCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';

const CURRENT = 'AWSCURRENT';
const PENDING = 'AWSPENDING';
const PASSWORD_LENGTH = 32;

/** The versions of a secret that is being rotated. The secret's text never leaves this class. */
export class SecretVersions {
  readonly #client: SecretsManagerClient;
  readonly #id: string;

  constructor(client: SecretsManagerClient, id: string) {
    this.#client = client;
    this.#id = id;
  }

  /**
   * Whether a version still has to be made current.
   * @throws Error when the secret isn't rotated, or has no such version
   */
  async isPending(version: string): Promise<boolean> {
    const { RotationEnabled, VersionIdsToStages } = await this.#client.send(
      new DescribeSecretCommand({ SecretId: this.#id }),
    );
    if (RotationEnabled === false) throw new Error(`The secret ${this.#id} is not set up for rotation.`);
    const stages = VersionIdsToStages?.[version];
    if (stages?.includes(CURRENT)) return false;
    if (stages?.includes(PENDING)) return true;
    throw new Error(`The secret ${this.#id} has no pending version ${version}; start the rotation again.`);
  }

  /** Makes the pending version: the current one with another password. One that is there is kept. */
  async create(version: string): Promise<void> {
    if (await this.#hasText(version)) return;
    const { SecretString: text } = await this.#client.send(
      new GetSecretValueCommand({ SecretId: this.#id, VersionStage: CURRENT }),
    );
    // Letters and digits: it travels through SQL and environment variables, and Debezium's image takes no "@".
    const { RandomPassword: password } = await this.#client.send(
      new GetRandomPasswordCommand({ PasswordLength: PASSWORD_LENGTH, ExcludePunctuation: true }),
    );
    const fields = JSON.parse(text ?? '{}') as Record<string, unknown>;
    await this.#client.send(
      new PutSecretValueCommand({
        SecretId: this.#id,
        ClientRequestToken: version,
        SecretString: JSON.stringify({ ...fields, password }),
        VersionStages: [PENDING],
      }),
    );
  }

  /** Makes a version the one that is read from now on. */
  async makeCurrent(version: string): Promise<void> {
    const { VersionIdsToStages = {} } = await this.#client.send(
      new DescribeSecretCommand({ SecretId: this.#id }),
    );
    const current = Object.entries(VersionIdsToStages).find(([, stages]) => stages.includes(CURRENT))?.[0];
    if (current === version) return;
    await this.#client.send(
      new UpdateSecretVersionStageCommand({
        SecretId: this.#id,
        VersionStage: CURRENT,
        MoveToVersionId: version,
        ...(current === undefined ? {} : { RemoveFromVersionId: current }),
      }),
    );
  }

  async #hasText(version: string): Promise<boolean> {
    try {
      await this.#client.send(
        new GetSecretValueCommand({ SecretId: this.#id, VersionId: version, VersionStage: PENDING }),
      );
      return true;
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return false;
      throw error;
    }
  }
}
