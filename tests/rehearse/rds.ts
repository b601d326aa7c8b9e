import { join } from 'node:path';
import { DescribeDBInstancesCommand, RDSClient } from '@aws-sdk/client-rds';
import type { clientSettings } from '../../local/aws/platform.ts';
import { startPostgres } from '../../local/postgres/server.ts';
import type { Supervisor } from '../../local/process/supervisor.ts';
import type { OwnedState } from '../../local/state.ts';
import { Follower } from './follow.ts';
import { appender } from './log.ts';

type Postgres = { supervisor: Supervisor; state: OwnedState; port: number };

/** Starts the world's PostgreSQL. */
export function startDatabase({ supervisor, state, port }: Postgres) {
  return startPostgres(supervisor, state, port, () => {});
}

/** What RDS does with a stopped instance: the real PostgreSQL behind it sleeps, too, and comes back with it. */
export class Rds {
  readonly #client: RDSClient;
  readonly #postgres: Postgres;
  readonly #follower: Follower;
  #sleeps = false;

  constructor(clients: ReturnType<typeof clientSettings>, postgres: Postgres) {
    this.#client = new RDSClient(clients);
    this.#postgres = postgres;
    this.#follower = new Follower(() => this.#look(), appender(join(postgres.state.paths.logs, 'rds.log')));
  }

  async stop(): Promise<void> {
    await this.#follower.stop();
    this.#client.destroy();
  }

  async #look(): Promise<void> {
    const { DBInstances = [] } = await this.#client.send(new DescribeDBInstancesCommand({}));
    const sleeps = DBInstances[0]?.DBInstanceStatus === 'stopped';
    if (sleeps === this.#sleeps) return;
    if (sleeps) await this.#postgres.supervisor.stop('postgres');
    else await startDatabase(this.#postgres);
    this.#sleeps = sleeps;
  }
}
