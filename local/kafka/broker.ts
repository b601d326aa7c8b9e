import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import { TOPIC_MAX_MESSAGE_BYTES, TOPIC_RETENTION_MS } from '../../functions/cdc/connector-config.ts';
import { javaCommand, kafkaJava, writeProperties } from '../process/java.ts';
import type { ChildSpec, Supervisor } from '../process/supervisor.ts';
import type { OwnedState, StatePaths } from '../state.ts';

const HOST = '127.0.0.1';
const HEAP_MB = { initial: 96, max: 384 };
/** Half a minute between the first and the last: a topic just made, a coordinator being elected, a busy broker. */
const RETRIES = 20;
const LOG4J = join(import.meta.dirname, 'log4j.properties');

/** A broker that answers: its address as clients take it, and the id of its cluster, made once a state folder. */
export type Broker = { address: string; clusterId: string };

export const BROKER_CLASS = 'kafka.Kafka';

/**
 * Starts a KRaft broker of one node, formatted on its first start, and waits until it is registered.
 * @param javaOptions see KafkaJava
 */
export async function startKafka(
  supervisor: Supervisor,
  state: OwnedState,
  ports: { broker: number; controller: number },
  javaOptions?: readonly string[],
): Promise<Broker> {
  const folder = state.paths.kafka;
  mkdirSync(folder, { recursive: true });
  const properties = join(folder, 'server.properties');
  writeProperties(properties, serverProperties(join(folder, 'data'), ports));
  const clusterId = readClusterId(folder) ?? (await format(state.paths, ports));
  const address = `${HOST}:${ports.broker}`;
  await supervisor.start(brokerChild(state.paths.temporary, properties, address, javaOptions));
  return { address, clusterId };
}

function brokerChild(
  temporary: string,
  properties: string,
  address: string,
  javaOptions?: readonly string[],
): ChildSpec {
  return {
    name: 'kafka',
    command: javaCommand(),
    args: kafkaJava({
      mainClass: BROKER_CLASS,
      heapMb: HEAP_MB,
      log4j: LOG4J,
      args: [properties],
      temporary,
      javaOptions,
    }),
    isReady: () =>
      withAdmin(address, async (admin) => (await admin.describeCluster()).brokers.length === 1, 0),
    readyWithinMs: 180_000,
    stopSignal: 'SIGTERM',
    stopWithinMs: 40_000,
    stopAfter: ['connect', 'pipe'],
    restart: null,
  };
}

/** One node as broker and controller; what must be as on MSK (topics made beforehand, record cap, retention) is. */
function serverProperties(
  data: string,
  ports: { broker: number; controller: number },
): Record<string, string> {
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@${HOST}:${ports.controller}`,
    listeners: `PLAINTEXT://${HOST}:${ports.broker},CONTROLLER://${HOST}:${ports.controller}`,
    'advertised.listeners': `PLAINTEXT://${HOST}:${ports.broker}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': data,
    'auto.create.topics.enable': 'false',
    'message.max.bytes': String(TOPIC_MAX_MESSAGE_BYTES),
    'log.retention.ms': String(TOPIC_RETENTION_MS),
    'log.segment.bytes': String(256 * 1024 * 1024),
    // 128 MB of heap by default, for compaction of topics that are tiny here.
    'log.cleaner.dedupe.buffer.size': String(16 * 1024 * 1024),
    'num.partitions': '1',
    'default.replication.factor': '1',
    'offsets.topic.num.partitions': '1',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    // 9 s by default, after which the one broker would be put out of its cluster, for being slow.
    'broker.session.timeout.ms': '120000',
  };
}

/** The id that Kafka itself keeps beside its data; null before the first format. */
function readClusterId(folder: string): string | null {
  const file = join(folder, 'data', 'meta.properties');
  if (!existsSync(file)) return null;
  const id = /^cluster\.id=(.+)$/m.exec(readFileSync(file, 'utf8'))?.[1];
  if (id === undefined)
    throw new Error(`${file} names no cluster.id; remove the state folder and start again.`);
  return id.trim();
}

/** Formats a folder aside, so that an interrupted format leaves nothing that looks complete. */
async function format(
  { kafka: folder, temporary }: StatePaths,
  ports: { broker: number; controller: number },
): Promise<string> {
  const aside = join(folder, 'data.new');
  rmSync(aside, { recursive: true, force: true });
  const properties = join(folder, 'format.properties');
  writeProperties(properties, serverProperties(aside, ports));
  const clusterId = newClusterId();
  const args = kafkaJava({
    mainClass: 'kafka.tools.StorageTool',
    heapMb: HEAP_MB,
    log4j: LOG4J,
    args: ['format', '-t', clusterId, '-c', properties],
    temporary,
  });
  try {
    await promisify(execFile)(javaCommand(), args);
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`Kafka could not format ${aside}: ${stderr || stdout || (error as Error).message}`, {
      cause: error,
    });
  }
  renameSync(aside, join(folder, 'data'));
  return clusterId;
}

/** Kafka's Uuid: 16 random bytes as base64url, not beginning with a dash, which tools would take for an option. */
function newClusterId(): string {
  const id = randomBytes(16).toString('base64url');
  return id.startsWith('-') ? newClusterId() : id;
}

/** Runs one piece of work with an admin client that logs nothing. `retries`: of each request; none for a probe. */
export async function withAdmin<T>(
  address: string,
  work: (admin: Admin) => Promise<T>,
  retries = RETRIES,
): Promise<T> {
  const kafka = new Kafka({
    clientId: 'cdc-twin',
    brokers: [address],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 10_000,
    requestTimeout: 30_000,
    retry: { retries, initialRetryTime: 100, maxRetryTime: 2_000 },
  });
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}
