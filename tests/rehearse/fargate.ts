import { join } from 'node:path';
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
import { Follower } from './follow.ts';
import { appender } from './log.ts';

type Connect = { supervisor: Supervisor; state: OwnedState; port: number; broker: string };

/** What a service wants to run: a task of this definition, and a new one for each deployment. */
type Wanted = { deployment: string; taskDefinition: string };

/**
 * What Fargate does: starts the real Kafka Connect once its service is there, with the secret that the service's task
 * definition injects, starts it anew for a new deployment of the service, and stops it when the service wants no task.
 */
export class Fargate {
  readonly #ecs: ECSClient;
  readonly #secrets: SecretsManagerClient;
  readonly #connect: Connect;
  readonly #follower: Follower;
  /** The deployment whose task runs. */
  #runs: string | undefined;

  constructor(clients: ReturnType<typeof clientSettings>, connect: Connect) {
    this.#ecs = new ECSClient(clients);
    this.#secrets = new SecretsManagerClient(clients);
    this.#connect = connect;
    this.#follower = new Follower(
      () => this.#look(),
      appender(join(connect.state.paths.logs, 'fargate.log')),
    );
  }

  async stop(): Promise<void> {
    await this.#follower.stop();
    this.#ecs.destroy();
    this.#secrets.destroy();
  }

  /** No two tasks at once, as the service's deployment configuration has it. */
  async #look(): Promise<void> {
    const wanted = await this.#wanted();
    if (wanted?.deployment === this.#runs) return;
    const { supervisor, state, port, broker } = this.#connect;
    await supervisor.stop('connect');
    this.#runs = undefined;
    if (wanted === undefined) return;
    await startConnect(supervisor, state, port, broker, await this.#passwordFor(wanted.taskDefinition));
    this.#runs = wanted.deployment;
  }

  /** Of the one service that is to run. */
  async #wanted(): Promise<Wanted | undefined> {
    const { clusterArns = [] } = await this.#ecs.send(new ListClustersCommand({}));
    for (const cluster of clusterArns) {
      const { serviceArns = [] } = await this.#ecs.send(new ListServicesCommand({ cluster }));
      if (serviceArns.length === 0) continue;
      const { services } = await this.#ecs.send(
        new DescribeServicesCommand({ cluster, services: serviceArns }),
      );
      const on = services?.find(({ status, desiredCount }) => status === 'ACTIVE' && desiredCount === 1);
      if (on) return { deployment: on.deployments?.[0]?.id ?? '', taskDefinition: on.taskDefinition ?? '' };
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
