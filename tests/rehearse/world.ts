import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { startMoto } from '../../local/aws/child.ts';
import { type Endpoint, startEndpoint } from '../../local/aws/endpoint.ts';
import { clientSettings } from '../../local/aws/platform.ts';
import { deploymentEndpointOptions } from '../../local/aws/twin.ts';
import { startKafka } from '../../local/kafka/broker.ts';
import { type PostgresUrls, SHOP } from '../../local/postgres/server.ts';
import { choosePorts } from '../../local/process/ports.ts';
import { Supervisor } from '../../local/process/supervisor.ts';
import { type OwnedState, ownState, PROJECT_ROOT } from '../../local/state.ts';
import { Fargate } from './fargate.ts';
import { appender } from './log.ts';
import { Rds, startDatabase } from './rds.ts';

const PORTS = ['postgres', 'kafka', 'controller', 'connect', 'moto', 'endpoint', 'spark'] as const;
type Ports = Record<(typeof PORTS)[number], number>;

/** The state machines' pauses between two looks, 20 and 30 s, are for AWS's pace; bounds are counts of looks. */
const WAITS_DIVIDED_BY = 5;

/** An AWS account of its own on this machine, empty at first, with real servers where moto only keeps records. */
export type World = {
  state: OwnedState;
  /** A copy of the project, from which it is deployed: what osls leaves there is in nobody's way. */
  project: string;
  supervisor: Supervisor;
  ports: Ports;
  /** What AWS clients are made with. */
  clients: ReturnType<typeof clientSettings>;
  connectUrl: string;
  /** Host and port of the real Kafka. */
  broker: string;
  /** The real PostgreSQL: its superuser and the application, which owns the tables. */
  database: PostgresUrls;
  /** Ends the databases and topics of a stack that is gone, as RDS and MSK would: the next one gets new ones. */
  renewServers(): Promise<void>;
  stop(): Promise<void>;
};

/** Starts the servers on free ports, in a folder that `stop` removes. */
export async function startWorld(): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'cdc-rehearse-'));
  const state = await ownState(folder, () => {});
  const events: string[] = [];
  const supervisor = new Supervisor(state, ({ message }) => events.push(message));
  const ports = (await choosePorts(PORTS, {})) as Ports;
  let endpoint: Endpoint | undefined;
  let fargate: Fargate | undefined;
  let rds: Rds | undefined;
  const stop = async () => {
    await Promise.all([fargate?.stop(), rds?.stop()]);
    await endpoint?.close();
    await supervisor.stopAll();
    state.release();
    for (const outside of state.read().outside) rmSync(outside, { recursive: true, force: true });
    rmSync(folder, { recursive: true });
    if (events.length > 0) throw new Error(`Out of the ordinary:\n${events.join('\n')}`);
  };
  try {
    const project = copyProject(join(folder, 'project'));
    const [database, kafka] = await Promise.all([
      startDatabase({ supervisor, state, port: ports.postgres }),
      startKafka(supervisor, state, { broker: ports.kafka, controller: ports.controller }),
    ]);
    const connectUrl = `http://127.0.0.1:${ports.connect}`;
    const admin = new URL(database.admin);
    const motoUrl = await startMoto(supervisor, {
      port: ports.moto,
      endpointPort: ports.endpoint,
      waitsDividedBy: WAITS_DIVIDED_BY,
      standIns: {
        database: {
          host: admin.hostname,
          port: Number(admin.port),
          username: admin.username,
          password: decodeURIComponent(admin.password),
        },
        connect_url: connectUrl,
      },
    });
    endpoint = await startEndpoint(
      deploymentEndpointOptions(
        {
          port: ports.endpoint,
          motoUrl,
          workerUrl: `http://127.0.0.1:${ports.spark}`,
          lakeFolder: state.paths.lake,
          codeFolder: join(folder, 'functions'),
          kafkaBroker: kafka.address,
        },
        appender(join(state.paths.logs, 'functions.log')),
      ),
    );
    const clients = clientSettings(endpoint.url);
    fargate = new Fargate(clients, { supervisor, state, port: ports.connect, broker: kafka.address });
    rds = new Rds(clients, { supervisor, state, port: ports.postgres });
    return {
      ...{ state, project, supervisor, ports, clients, connectUrl, database, stop },
      broker: kafka.address,
      renewServers: () => renewServers(supervisor, state, ports, database),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What is installed or made on this machine, and what belongs to no deployment. */
const NOT_COPIED = /^(\.|node_modules$|coverage$|dist$|tests$)/;

function copyProject(to: string): string {
  mkdirSync(to);
  for (const entry of readdirSync(PROJECT_ROOT)) {
    if (!NOT_COPIED.test(entry)) cpSync(join(PROJECT_ROOT, entry), join(to, entry), { recursive: true });
  }
  symlinkSync(join(PROJECT_ROOT, 'node_modules'), join(to, 'node_modules'));
  return to;
}

/** A database that a slot still reads can't be dropped: this proves that the stack left none. */
async function renewServers(
  supervisor: Supervisor,
  state: OwnedState,
  ports: Ports,
  database: PostgresUrls,
): Promise<void> {
  await supervisor.stop('kafka');
  rmSync(state.paths.kafka, { recursive: true });
  await startKafka(supervisor, state, { broker: ports.kafka, controller: ports.controller });
  const server = new URL(database.admin);
  server.pathname = '/postgres';
  const client = new Client({ connectionString: server.href });
  await client.connect();
  try {
    await client.query(`DROP DATABASE ${SHOP} WITH (FORCE)`);
    await client.query(`CREATE DATABASE ${SHOP} OWNER ${SHOP}`);
  } finally {
    await client.end();
  }
}

/** Where the world's logs lie, for a message. */
export function logOf({ state }: Pick<World, 'state'>, name: string): string {
  return join(state.paths.logs, `${name}.log`);
}
