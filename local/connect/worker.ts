import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { SOURCE_PASSWORD_VARIABLE } from '../../functions/cdc/connector-config.ts';
import { JARS, javaCommand, kafkaJava, writeProperties } from '../process/java.ts';
import type { ChildSpec, Supervisor } from '../process/supervisor.ts';
import type { OwnedState } from '../state.ts';

const HOST = '127.0.0.1';
const HEAP_MB = { initial: 96, max: 512 };
const PROBE_TIMEOUT_MS = 5_000;
const LOG4J = join(import.meta.dirname, '..', 'kafka', 'log4j.properties');

export const CONNECT_CLASS = 'org.apache.kafka.connect.cli.ConnectDistributed';

/**
 * Starts a Kafka Connect worker with Debezium and waits until it serves its connectors. Returns its REST address.
 * @param sourcePassword what SOURCE_PASSWORD_REFERENCE in a connector's configuration stands for
 * @param javaOptions see KafkaJava
 */
export async function startConnect(
  supervisor: Supervisor,
  state: OwnedState,
  port: number,
  brokerAddress: string,
  sourcePassword: string,
  javaOptions?: readonly string[],
): Promise<string> {
  const url = `http://${HOST}:${port}`;
  const folder = state.paths.connect;
  mkdirSync(folder, { recursive: true });
  const properties = join(folder, 'connect.properties');
  writeProperties(properties, workerProperties(url, brokerAddress));
  await supervisor.start(connectChild(state.paths.temporary, properties, url, sourcePassword, javaOptions));
  return url;
}

function connectChild(
  temporary: string,
  properties: string,
  url: string,
  sourcePassword: string,
  javaOptions?: readonly string[],
): ChildSpec {
  return {
    name: 'connect',
    command: javaCommand(),
    args: kafkaJava({
      mainClass: CONNECT_CLASS,
      heapMb: HEAP_MB,
      log4j: LOG4J,
      args: [properties],
      temporary,
      javaOptions,
    }),
    env: { [SOURCE_PASSWORD_VARIABLE]: sourcePassword },
    isReady: () => isHealthy(url),
    readyWithinMs: 240_000,
    stopSignal: 'SIGTERM',
    stopWithinMs: 60_000,
    stopAfter: [],
    // It keeps nothing of its own: offsets and configuration are in Kafka. ECS starts it again, too.
    restart: { limit: 5, windowMs: 300_000 },
  };
}

/** KIP-1017, Kafka 3.9: 200 once the worker has joined its group and works through its queue. */
async function isHealthy(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
  return answer.ok;
}

/** A distributed worker, as on ECS. Converters are the connector's, which is the same everywhere. */
export function workerProperties(url: string, brokerAddress: string): Record<string, string> {
  return {
    'bootstrap.servers': brokerAddress,
    'group.id': 'cdc-connect',
    'config.storage.topic': '_connect_configs',
    'offset.storage.topic': '_connect_offsets',
    'status.storage.topic': '_connect_status',
    'config.storage.replication.factor': '1',
    'offset.storage.replication.factor': '1',
    'status.storage.replication.factor': '1',
    'offset.storage.partitions': '1',
    'status.storage.partitions': '1',
    'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    listeners: url,
    'plugin.path': JARS.debezium,
    // Debezium and the converters have service files; the default scans every jar for classes.
    'plugin.discovery': 'service_load',
    // A minute by default: so much would be sent again after a crash.
    'offset.flush.interval.ms': '1000',
    // Five minutes by default, in which the task of a worker that came back stays unassigned.
    'scheduled.rebalance.max.delay.ms': '0',
    'config.providers': 'env',
    'config.providers.env.class': 'org.apache.kafka.common.config.provider.EnvVarConfigProvider',
    'config.providers.env.param.allowlist.pattern': SOURCE_PASSWORD_VARIABLE,
    'connector.client.config.override.policy': 'All',
    'topic.creation.enable': 'true',
  };
}
