/** The whole twin: every child started in the order that its needs allow, most of them at once, and stopped in order. */
import { join } from 'node:path';
import {
  connectorConfig,
  connectorName,
  SOURCE_PASSWORD_REFERENCE,
  slotName,
  withMessageKeys,
} from '../functions/cdc/connector-config.ts';
import type { Deployment } from '../functions/cdc/names.ts';
import type { Registry } from '../functions/cdc/registry.ts';
import { sourceConnection, type UrlConnection } from '../functions/cdc/source-url.ts';
import { awaitSnapshot } from '../functions/connector/apply.ts';
import { ConnectApi } from '../functions/connector/connect-api.ts';
import { applyInEpoch } from '../functions/connector/epoch.ts';
import { dropSlot } from '../functions/connector/slot.ts';
import { replicationRole, sourceSettings } from '../functions/source/config.ts';
import { prepareSource, type SourcePreparation } from '../functions/source/source.ts';
import { startAwsEndpoint, startMoto } from './aws/child.ts';
import { deployedName } from './aws/lambda/function.ts';
import { createPlatform, REGION } from './aws/platform.ts';
import type { TimeScale } from './aws/state-machine.ts';
import { secretsOf } from './aws/twin.ts';
import { startConnect } from './connect/worker.ts';
import { type Broker, startKafka } from './kafka/broker.ts';
import { ensureTopics } from './kafka/topics.ts';
import { startPipe } from './pipe/child.ts';
import { withDatabase } from './postgres/client.ts';
import { startPostgres } from './postgres/server.ts';
import { allowSignals } from './postgres/signals.ts';
import { choosePorts } from './process/ports.ts';
import { type ChildEvent, Supervisor } from './process/supervisor.ts';
import { createSampleSchema, loadSample } from './sample/load.ts';
import { startSpark } from './spark/child.ts';
import { ensureSecrets, type OwnedState, ownState, PROJECT_ROOT } from './state.ts';

const PORTS = ['postgres', 'kafka', 'controller', 'connect', 'moto', 'endpoint', 'spark'] as const;
type Ports = Record<(typeof PORTS)[number], number>;

const SNAPSHOT_WITHIN_MS = 30 * 60_000;
const CONNECTOR_RESTARTS = 3;
const SAMPLE_SEED = 20_260_101;

/** Runs one named step of the start; `say` adds to its line. */
export type RunStep = <T>(name: string, work: (say: (detail: string) => void) => Promise<T>) => Promise<T>;

export type TwinOptions = {
  readonly root: string;
  readonly registry: Registry;
  readonly deployment: Deployment;
  /** The registry as the functions read it: tables.yml unless said otherwise. */
  readonly registryFile?: string;
  /** Size of the sample data: 1 is 5,000 users, 500 products and 50,000 orders. */
  readonly scale: number;
  /** The user's own PostgreSQL instead of the twin's. */
  readonly sourceUrl?: string;
  /** Divides intervals of the state machines, for tests. */
  readonly timeScale?: TimeScale;
  readonly step: RunStep;
  /** Told what is out of the ordinary, in words. */
  readonly note: (message: string) => void;
  readonly onChildEvent: (event: ChildEvent) => void;
  /** Ends the start: what runs is stopped in order. */
  readonly signal?: AbortSignal;
};

/** The addresses of a running twin; the same that state.json holds under `urls`. */
export type TwinUrls = {
  /** The source as the application uses it. */
  readonly source: string;
  /** The source as the replication role, which may write heartbeats. */
  readonly heartbeat: string;
  /** Kafka's bootstrap address, host:port. */
  readonly kafka: string;
  readonly connect: string;
  /** What AWS_ENDPOINT_URL takes. */
  readonly endpoint: string;
  readonly spark: string;
  /** ARN of the medallion. */
  readonly medallion: string;
  /** Queue that receives every alert. */
  readonly alerts: string;
};

export type Twin = {
  readonly state: OwnedState;
  readonly urls: TwinUrls;
  readonly supervisor: Supervisor;
  stop(): Promise<void>;
};

/** The source can't be captured as it is; the message says what to do, table by table. */
export class SourceError extends Error {
  override name = 'SourceError';
}

/** The lake's bucket in the twin: `cdc-demo-dev-lake`. */
export function lakeBucket(deployment: Deployment): string {
  return deployedName(deployment, 'lake');
}

/**
 * Starts every child, prepares the source, puts the connector and waits until its initial snapshot is in Kafka.
 * When one step fails, what runs is stopped in order.
 * @throws AlreadyRunningError, ChildError, SourceError or ConnectorFailedError, each saying what to do
 */
export async function startTwin(options: TwinOptions): Promise<Twin> {
  const state = await ownState(options.root, (name) =>
    options.note(`ended ${name}, left behind by a killed twin`),
  );
  const supervisor = new Supervisor(state, options.onChildEvent);
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= supervisor.stopAll().then(() => state.release());
    return stopped;
  };
  options.signal?.addEventListener('abort', () => void stop(), { once: true });
  try {
    options.signal?.throwIfAborted();
    const ports = (await choosePorts(PORTS, state.read().ports)) as Ports;
    state.update((content) => {
      content.ports = ports;
      content.urls = {};
    });
    const urls = await startChildren(options, state, supervisor, ports);
    return { state, urls, supervisor, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startChildren(
  options: TwinOptions,
  state: OwnedState,
  supervisor: Supervisor,
  ports: Ports,
): Promise<TwinUrls> {
  const { step, registry, deployment } = options;
  const bucket = lakeBucket(deployment);
  const endpointUrl = `http://127.0.0.1:${ports.endpoint}`;
  const role = replicationRole(deployment);
  const secrets = ensureSecrets(state.paths, [role]);
  const replication = { name: role, password: secrets.passwords[role] as string };
  const { placeholder } = secrets;

  const source = prepared(options, state, supervisor, ports, replication);
  // A source that can't be captured is told before anything else is started.
  if (options.sourceUrl !== undefined) await source;
  // The slowest to get ready goes first; nothing needs it before the first run.
  const spark = step('Spark with Iceberg', () =>
    startSpark(supervisor, state, { port: ports.spark, endpointUrl, bucket, deployment }),
  );
  const moto = step('Step Functions, DynamoDB, SNS (moto)', () =>
    startMoto(supervisor, { port: ports.moto, endpointPort: ports.endpoint }),
  );
  const kafka = step('Kafka', async (say) => {
    const broker = await startKafka(supervisor, state, { broker: ports.kafka, controller: ports.controller });
    await ensureTopics(broker.address, deployment, registry);
    say(broker.address);
    return broker;
  });
  const connect = kafka.then((broker) =>
    step('Kafka Connect with Debezium', (say) => {
      say(`http://127.0.0.1:${ports.connect}`);
      return startConnect(supervisor, state, ports.connect, broker.address, replication.password);
    }),
  );
  const endpoint = Promise.all([moto, kafka, source]).then(([motoUrl, broker, { url }]) =>
    step('AWS endpoint', async (say) => {
      await startAwsEndpoint(supervisor, {
        port: ports.endpoint,
        motoUrl,
        workerUrl: `http://127.0.0.1:${ports.spark}`,
        lakeFolder: state.paths.lake,
        ...deployment,
        bucket,
        lakeRoot: `file://${join(state.paths.lake, bucket)}`,
        registryFile: options.registryFile ?? join(PROJECT_ROOT, 'tables.yml'),
        kafkaClusterId: broker.clusterId,
        kafkaBroker: broker.address,
        placeholder,
        connectUrl: `http://127.0.0.1:${ports.connect}`,
        sourceUrl: url,
      });
      say(endpointUrl);
      return createPlatform({
        endpointUrl,
        ...deployment,
        bucket,
        assets: PROJECT_ROOT,
        secrets: secretsOf({ ...deployment, sourceUrl: url, placeholder }, replication),
        ...(options.timeScale ? { scale: options.timeScale } : {}),
      });
    }),
  );
  const pipes = Promise.all([kafka, endpoint]).then(([{ address }]) =>
    step('Pipes to the landing zone', () =>
      startPipe(supervisor, state, { ...deployment, broker: address, endpointUrl, region: REGION, bucket }),
    ),
  );
  const connector = Promise.all([connect, source, kafka]).then(
    ([connectUrl, { connection, preparation }, broker]) =>
      capture(options, {
        connectUrl,
        connection: { ...connection, user: replication.name, password: replication.password },
        preparation,
        placeholder,
        broker,
      }),
  );

  // One that fails must not leave the others' rejections unheard.
  const outcomes = await Promise.allSettled([spark, endpoint, pipes, connector, source, connect]);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  const [platform, { url }, broker] = await Promise.all([endpoint, source, kafka]);
  const urls: TwinUrls = {
    source: url,
    heartbeat: withUser(url, replication),
    kafka: broker.address,
    connect: `http://127.0.0.1:${ports.connect}`,
    endpoint: endpointUrl,
    spark: `http://127.0.0.1:${ports.spark}`,
    medallion: platform.medallionArn,
    alerts: platform.alertQueueUrl,
  };
  state.update((content) => {
    content.urls = { ...urls };
  });
  return urls;
}

type PreparedSource = { url: string; connection: UrlConnection; preparation: SourcePreparation };

/** The twin's PostgreSQL with sample data, or the user's own, ready for the connector. */
async function prepared(
  { step, registry, deployment, scale, sourceUrl, note }: TwinOptions,
  state: OwnedState,
  supervisor: Supervisor,
  ports: Ports,
  replication: { name: string; password: string },
): Promise<PreparedSource> {
  const prepare = async (url: string, adminUrl: string): Promise<PreparedSource> => {
    const connection = sourceConnection(adminUrl);
    const preparation = await prepareSource(
      connection,
      sourceSettings(deployment, registry.tables, replication),
    );
    refuseUnready(preparation);
    for (const finding of preparation.findings) note(`${finding.message} ${finding.remedy}`);
    return { url, connection, preparation };
  };
  if (sourceUrl !== undefined) {
    return step('Your PostgreSQL (CDC_SOURCE_URL)', () => prepare(sourceUrl, sourceUrl));
  }
  const urls = await step('PostgreSQL 15', (say) => {
    say(`127.0.0.1:${ports.postgres}`);
    return startPostgres(supervisor, state, ports.postgres, note);
  });
  return step('Sample data', async (say) => {
    await withDatabase(urls.shop, async (client) => {
      await createSampleSchema(client);
      const counts = await loadSample(
        client,
        { scale, until: new Date(), seed: SAMPLE_SEED },
        (table, rows, of) => say(`${table} ${rows} of ${of}`),
      );
      say(
        counts === null
          ? 'kept as it is'
          : Object.entries(counts)
              .map(([table, rows]) => `${rows} ${table}`)
              .join(', '),
      );
    });
    const source = await prepare(urls.shop, urls.admin);
    await allowSignals(urls.admin, deployment);
    return source;
  });
}

function refuseUnready({ ok, findings, script }: SourcePreparation): void {
  if (ok) return;
  const refused = findings.filter(({ severity }) => severity === 'refuse');
  const lines = refused.map(({ message, remedy }) => `  - ${message} ${remedy}`);
  const owner =
    script === null ? '' : `\nThis user may not prepare it; let the database's owner run:\n\n${script}\n`;
  throw new SourceError(`The source is not ready for capture:\n${lines.join('\n')}${owner}`);
}

/** Puts the connector and waits for its snapshot. */
async function capture(
  { step, registry, deployment }: TwinOptions,
  ready: {
    connectUrl: string;
    connection: UrlConnection;
    preparation: SourcePreparation;
    placeholder: string;
    broker: Broker;
  },
): Promise<void> {
  await step('Debezium connector and its snapshot', async (say) => {
    const api = new ConnectApi(ready.connectUrl);
    const name = connectorName(deployment);
    const tables = withMessageKeys(registry.tables, ready.preparation.messageKeys);
    const { sslrootcert } = ready.connection;
    const config = {
      ...connectorConfig({
        ...deployment,
        registry: { ...registry, tables },
        connection: { ...ready.connection, password: SOURCE_PASSWORD_REFERENCE },
        placeholder: ready.placeholder,
        replicationFactor: 1,
      }),
      ...(sslrootcert ? { 'database.sslrootcert': sslrootcert } : {}),
    };
    const applied = await applyInEpoch(api, name, config, () =>
      dropSlot(ready.connection, slotName(deployment)),
    );
    say(applied);
    await awaitSnapshot(api, name, {
      withinMs: SNAPSHOT_WITHIN_MS,
      restarts: CONNECTOR_RESTARTS,
      onProgress: ({ state, snapshot }) => say(`${applied}, ${state}, snapshot ${snapshot}`),
    });
  });
}

/** A PostgreSQL URL with another user. */
function withUser(url: string, { name, password }: { name: string; password: string }): string {
  const changed = new URL(url);
  changed.username = name;
  changed.password = password;
  return changed.href;
}
