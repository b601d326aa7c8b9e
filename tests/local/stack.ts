import { Client } from 'pg';
import {
  connectorConfig,
  connectorName,
  type PlatformTables,
  platformTables,
  publicationName,
  SOURCE_PASSWORD_REFERENCE,
} from '../../functions/cdc/connector-config.ts';
import type { Deployment } from '../../functions/cdc/names.ts';
import { parseRegistry } from '../../functions/cdc/registry.ts';
import { sourceConnection } from '../../functions/cdc/source-url.ts';
import { type Applied, applyConnector, awaitSnapshot } from '../../functions/connector/apply.ts';
import { ConnectApi } from '../../functions/connector/connect-api.ts';
import { startConnect } from '../../local/connect/worker.ts';
import { startKafka } from '../../local/kafka/broker.ts';
import { ensureTopics } from '../../local/kafka/topics.ts';
import { type PostgresUrls, startPostgres } from '../../local/postgres/server.ts';
import { choosePorts } from '../../local/process/ports.ts';
import { type ChildEvent, Supervisor } from '../../local/process/supervisor.ts';
import { ensureSecrets, type OwnedState, ownState } from '../../local/state.ts';

/** PostgreSQL, Kafka and Connect of one state folder, the least that carries a change. */
export type Stack = {
  state: OwnedState;
  supervisor: Supervisor;
  postgres: PostgresUrls;
  broker: string;
  /** Kafka Connect's REST interface. */
  url: string;
  api: ConnectApi;
};

export const deployment: Deployment = { project: 'children', stage: 'test' };
export const registry = parseRegistry('project: children\nepoch: 1\ntables: {notes: {}}');
export const connector = connectorName(deployment);

export const SNAPSHOT_ROWS = 2_000;
const SCHEMA = `
  CREATE TABLE notes (id serial PRIMARY KEY, text text);
  INSERT INTO notes (text) SELECT 'note ' || n FROM generate_series(1, ${SNAPSHOT_ROWS}) AS n;
  CREATE SCHEMA debezium;`;

/** What the source function makes elsewhere, with any names of the tables. */
function platform(owner: Deployment, { signal, heartbeat }: PlatformTables): string {
  return `
    CREATE TABLE ${signal} (id varchar(64) PRIMARY KEY, type varchar(32) NOT NULL, data varchar(2048));
    CREATE TABLE ${heartbeat} (id int PRIMARY KEY, ts timestamptz NOT NULL);
    INSERT INTO ${heartbeat} VALUES (1, now());
    CREATE PUBLICATION ${publicationName(owner)} FOR TABLE notes, ${signal}, ${heartbeat};`;
}

export async function startStack(
  root: string,
  on: { orphan: (name: string) => void; event: (event: ChildEvent) => void },
): Promise<Stack> {
  const state = await ownState(root, on.orphan);
  const supervisor = new Supervisor(state, on.event);
  const ports = await choosePorts(['postgres', 'broker', 'controller', 'connect'], state.read().ports);
  state.update((content) => {
    content.ports = ports;
  });
  const [db, broker, controller, rest] = Object.values(ports) as [number, number, number, number];
  const { passwords } = ensureSecrets(state.paths, ['postgres']);
  const kafka = async () => {
    const { address } = await startKafka(supervisor, state, { broker, controller });
    await ensureTopics(address, deployment, registry);
    const url = await startConnect(supervisor, state, rest, address, passwords['postgres'] as string);
    return { address, url };
  };
  try {
    const [postgres, { address, url }] = await Promise.all([
      startPostgres(supervisor, state, db, () => {}),
      kafka(),
    ]);
    return { state, supervisor, postgres, broker: address, url, api: new ConnectApi(url) };
  } catch (error) {
    await supervisor.stopAll();
    throw error;
  }
}

/** Makes the captured table with its rows, and what the connector needs. */
export async function createSource(url: string, tables = platformTables(deployment)): Promise<void> {
  await query(url, `${SCHEMA}${platform(deployment, tables)}`);
}

/** Makes what the connector of another deployment needs. */
export async function shareSource(url: string, other: Deployment): Promise<void> {
  await query(url, platform(other, platformTables(other)));
}

export function stackConfig(
  { state, postgres }: Stack,
  owner = deployment,
  epoch = registry.epoch,
): Record<string, string> {
  const { placeholder } = ensureSecrets(state.paths, []);
  const connection = { ...sourceConnection(postgres.admin), password: SOURCE_PASSWORD_REFERENCE };
  return connectorConfig({
    ...owner,
    registry: { ...registry, epoch },
    connection,
    placeholder,
    replicationFactor: 1,
  });
}

/** Puts the connector and waits until the snapshot is in Kafka. */
export async function capture(stack: Stack, config = stackConfig(stack), name = connector): Promise<Applied> {
  const applied = await applyConnector(stack.api, name, config);
  await awaitSnapshot(stack.api, name, { withinMs: 180_000, restarts: 0 });
  return applied;
}

export async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const answer = await client.query(sql);
    return answer.rows ?? [];
  } finally {
    await client.end();
  }
}
