import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  ECSClient,
  ListClustersCommand,
  ListServicesCommand,
  type Secret,
} from '@aws-sdk/client-ecs';
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SOURCE_PASSWORD_VARIABLE } from '../../functions/cdc/connector-config.ts';
import type { clientSettings } from '../../local/aws/platform.ts';
import { startConnect } from '../../local/connect/worker.ts';
import type { Supervisor } from '../../local/process/supervisor.ts';
import type { OwnedState } from '../../local/state.ts';
import { appender } from './log.ts';

const LOOK_EVERY_MS = 500;

type Connect = { supervisor: Supervisor; state: OwnedState; port: number; broker: string };

/**
 * What Fargate does: starts the real Kafka Connect once its service is there, with the secret that the service's task
 * definition injects, and stops it when the service is gone.
 */
export class Fargate {
  readonly #ecs: ECSClient;
  readonly #secrets: SecretsManagerClient;
  readonly #connect: Connect;
  readonly #log: (text: string) => void;
  readonly #closing = new AbortController();
  readonly #loop: Promise<void>;
  #runs = false;

  constructor(clients: ReturnType<typeof clientSettings>, connect: Connect) {
    this.#ecs = new ECSClient(clients);
    this.#secrets = new SecretsManagerClient(clients);
    this.#connect = connect;
    this.#log = appender(join(connect.state.paths.logs, 'fargate.log'));
    this.#loop = this.#follow();
  }

  async stop(): Promise<void> {
    this.#closing.abort();
    await this.#loop;
    this.#ecs.destroy();
    this.#secrets.destroy();
  }

  /** What goes wrong is in `fargate.log`, and tried again: a cluster may go between two questions. */
  async #follow(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      await this.#look().catch((error: Error) => this.#log(`${error.message}\n`));
      await pause(LOOK_EVERY_MS, undefined, { signal: this.#closing.signal }).catch(() => {});
    }
  }

  async #look(): Promise<void> {
    const taskDefinition = await this.#wanted();
    if (taskDefinition !== undefined && !this.#runs) {
      const { supervisor, state, port, broker } = this.#connect;
      await startConnect(supervisor, state, port, broker, await this.#passwordFor(taskDefinition));
      this.#runs = true;
    } else if (taskDefinition === undefined && this.#runs) {
      await this.#connect.supervisor.stop('connect');
      this.#runs = false;
    }
  }

  /** Task definition of the one service that is to run. */
  async #wanted(): Promise<string | undefined> {
    const { clusterArns = [] } = await this.#ecs.send(new ListClustersCommand({}));
    for (const cluster of clusterArns) {
      const { serviceArns = [] } = await this.#ecs.send(new ListServicesCommand({ cluster }));
      if (serviceArns.length === 0) continue;
      const { services } = await this.#ecs.send(
        new DescribeServicesCommand({ cluster, services: serviceArns }),
      );
      const on = services?.find(({ status, desiredCount }) => status === 'ACTIVE' && desiredCount === 1);
      if (on) return on.taskDefinition;
    }
    return undefined;
  }

  async #passwordFor(taskDefinition: string): Promise<string> {
    const found = await this.#ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition }));
    const secrets =
      found.taskDefinition?.containerDefinitions?.flatMap((container) => container.secrets ?? []) ?? [];
    const injected = secrets.find(({ name }) => name === SOURCE_PASSWORD_VARIABLE);
    if (injected === undefined) throw new Error(`${taskDefinition} injects no ${SOURCE_PASSWORD_VARIABLE}`);
    return this.#valueOf(injected);
  }

  /** `<ARN of the secret>:<key of its JSON>::`, as ECS reads it. */
  async #valueOf({ valueFrom = '' }: Secret): Promise<string> {
    const [, arn = '', key = ''] = /^(arn(?::[^:]*){5}:[^:]+):([^:]*)::$/.exec(valueFrom) ?? [];
    const { SecretString = '' } = await this.#secrets.send(new GetSecretValueCommand({ SecretId: arn }));
    const value = (JSON.parse(SecretString) as Record<string, string>)[key];
    if (value === undefined) throw new Error(`The secret ${arn} has no ${key}`);
    return value;
  }
}
