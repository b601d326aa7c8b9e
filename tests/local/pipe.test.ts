import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, globSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { CompressionTypes, Kafka, logLevel, type Message, type Producer } from 'kafkajs';
import type { PipeKafkaRecord } from '../../functions/cdc/kafka-record.ts';
import type { Pack } from '../../functions/cdc/pack.ts';
import { parseRegistry } from '../../functions/cdc/registry.ts';
import { type Endpoint, startEndpoint } from '../../local/aws/endpoint.ts';
import { deployedName } from '../../local/aws/lambda/function.ts';
import { type Broker, startKafka, withAdmin } from '../../local/kafka/broker.ts';
import { ensureTopics } from '../../local/kafka/topics.ts';
import { pipePlans } from '../../local/pipe/plan.ts';
import { type PipeRunner, type PipeRunnerOptions, startPipes } from '../../local/pipe/runner.ts';
import { type PipeStatus, readStatus } from '../../local/pipe/status.ts';
import { tail } from '../../local/process/log.ts';
import { choosePorts } from '../../local/process/ports.ts';
import { Supervisor } from '../../local/process/supervisor.ts';
import { type OwnedState, ownState, PROJECT_ROOT } from '../../local/state.ts';

const BOUND_MS = 120_000;
const BUCKET = 'lake';
const TOPIC = 'cdc.public.orders';
const registryFile = join(PROJECT_ROOT, 'tables.yml');
const registry = parseRegistry(readFileSync(registryFile, 'utf8'));
const deployment = { project: registry.project, stage: 'pipetest' };
const plans = pipePlans(deployment, registry);
const groupOf = (topic: string) => plans.find((plan) => plan.topic === topic)?.group as string;

/** Ended after each test, however it ended. */
const running: { stop(): Promise<unknown> }[] = [];
const folder = mkdtempSync(join(tmpdir(), 'cdc-pipe-test-'));
const statusFile = join(folder, 'pipe.json');
let state: OwnedState;
let supervisor: Supervisor;
let broker: Broker;
let producer: Producer;

beforeAll(async () => {
  state = await ownState(join(folder, 'state'), () => undefined);
  supervisor = new Supervisor(state, () => undefined);
  const ports = await choosePorts(['broker', 'controller'], {});
  broker = await startKafka(supervisor, state, ports as Record<'broker' | 'controller', number>);
  await ensureTopics(broker.address, deployment, registry);
  const kafka = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING });
  producer = kafka.producer({ createPartitioner: () => () => 0 });
  await producer.connect();
});

afterAll(async () => {
  await producer?.disconnect();
  await supervisor?.stopAll();
  state?.release();
  rmSync(folder, { recursive: true, force: true });
});

afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
});

describe('the pipe runner', () => {
  it('commits a topic only after its landing file is closed', async () => {
    const puts: { key: string; content: Buffer; close: () => void }[] = [];
    const events: PipeKafkaRecord[][] = [];
    const runner = await startInProcess({
      enrich: async (event) => {
        events.push(JSON.parse(event));
        return Buffer.from('[{"pack":1},{"pack":2}]');
      },
      putLanding: (key, content) =>
        new Promise<void>((close) => {
          puts.push({ key, content, close });
        }),
    });
    await produce('cdc.public.users', [
      { key: 'k', value: 'v', headers: { h: 'x' } },
      { key: 'k', value: null },
    ]);
    await until('a landing file', () => puts.length === 1, runner);

    expect(await committed('cdc.public.users')).toBe(-1);
    puts[0]?.close();
    await until('the commit', async () => (await committed('cdc.public.users')) === 2, runner);

    expect(puts[0]?.key).toMatch(
      /^landing\/public\.users\/\d{4}\/\d\d\/\d\d\/\d\d\/cdc-demo-pipetest-users-1-[\d-]{19}-[0-9a-f-]{36}\.gz$/,
    );
    expect(gunzipSync(puts[0]?.content as Buffer).toString()).toBe('{"pack":1}\n{"pack":2}\n');
    expect(events.flat().map(({ offset, value }) => [offset, value])).toEqual([
      [0, Buffer.from('v').toString('base64')],
      [1, undefined],
    ]);
  });

  it('stands still on a batch that fails, on its own topic only, and goes on when it no longer does', async () => {
    let poisoned = true;
    const landed: string[] = [];
    const runner = await startInProcess({
      enrich: async (event) => {
        const [record] = JSON.parse(event) as PipeKafkaRecord[];
        if (poisoned && record?.topic === 'cdc.public.products') throw new Error('no S3 today');
        return Buffer.from('[{}]'.replace('{}', `"${record?.topic}"`));
      },
      putLanding: async (_, content) => {
        landed.push(gunzipSync(content).toString());
      },
    });
    await produce('cdc.public.products', [{ key: 'k', value: 'v' }]);
    await produce('cdc.public.users', [{ key: 'k', value: 'v' }]);
    await until('the other topic', () => landed.length > 0, runner);
    await until(
      'the word',
      async () => (await saved())?.topics['cdc.public.products']?.state === 'stalled',
      runner,
    );

    const stalled = (await saved())?.topics['cdc.public.products'];
    expect(stalled?.lastError?.message).toBe('enrich: no S3 today');
    expect(stalled?.committed).toEqual({});
    expect(landed).toEqual(['"cdc.public.users"\n']);

    poisoned = false;
    await until('the stalled topic', () => landed.length > 1, runner);
    await until('its commit', async () => (await committed('cdc.public.products')) === 1, runner);
    expect(runner.status().topics['cdc.public.products']).toMatchObject({ state: 'running', lag: 0 });
  });

  it('loses nothing when it is killed in the middle, with the real enrichment', async () => {
    const records = 4_000;
    const endpoint = await realEndpoint();
    running.push({ stop: () => endpoint.close() });
    const recorded = JSON.parse(
      readFileSync(join(PROJECT_ROOT, 'tests/fixtures/pipe/orders.json'), 'utf8'),
    ) as PipeKafkaRecord[];
    const messages = Array.from({ length: records }, (_, index) => {
      const { key, value } = recorded[index % recorded.length] as PipeKafkaRecord;
      return { key: bytes(key), value: bytes(value) };
    });
    const gate = await startGate(endpoint.url);
    running.unshift(gate);
    const first = runPipe(gate.url);
    await produce(TOPIC, messages.splice(0, 1_000));
    await until('the first file', () => landingFiles().length > 0);
    gate.holdPuts();
    while (messages.length > 0) await produce(TOPIC, messages.splice(0, 500));
    // The next file is on its way, not closed: the worst moment.
    await until('a file on its way', () => gate.held() > 0);
    first.kill('SIGKILL');
    await once(first, 'exit');
    gate.open();
    const interrupted = coveredOffsets();

    const second = runPipe(gate.url);
    await until('the end of the topic', async () => (await committed(TOPIC)) === records);
    second.kill('SIGTERM');
    expect(await once(second, 'exit')).toEqual([0, null]);

    expect(interrupted.size).toBeLessThan(records);
    expect(coveredOffsets()).toEqual(new Set(Array.from({ length: records }, (_, offset) => offset)));
  });
});

async function startInProcess(ports: Pick<PipeRunnerOptions, 'enrich' | 'putLanding'>): Promise<PipeRunner> {
  const runner = await startPipes({
    ...ports,
    deployment,
    broker: broker.address,
    plans,
    statusFile,
    log: () => undefined,
    onCrash: (error) => {
      throw error;
    },
  });
  running.push(runner);
  return runner;
}

const saved = () => readStatus(statusFile);
const pipeLog = () => join(folder, 'pipe.log');
const landingFiles = () => globSync(join(folder, 'lake', BUCKET, 'landing/public.orders/**/*.gz'));
const bytes = (base64: string | null | undefined) => (base64 ? Buffer.from(base64, 'base64') : null);

/** Offsets that the packs of closed landing files cover. */
function coveredOffsets(): Set<number> {
  const packs = landingFiles().flatMap((file) =>
    gunzipSync(readFileSync(file))
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Pack),
  );
  const offsets = packs.flatMap((pack) => {
    const from = Number(pack.from_offset);
    return Array.from({ length: Number(pack.to_offset) - from + 1 }, (_, index) => from + index);
  });
  return new Set(offsets.sort((a, b) => a - b));
}

function realEndpoint(): Promise<Endpoint> {
  const lakeFolder = join(folder, 'lake');
  return startEndpoint({
    port: 0,
    motoUrl: 'http://127.0.0.1:1',
    lakeFolder,
    glue: { workerUrl: 'http://127.0.0.1:1', jobs: {} },
    lambda: {
      region: 'us-east-1',
      warm: false,
      functions: {
        [deployedName(deployment, 'enrich')]: {
          handler: join(PROJECT_ROOT, 'functions/enrich/handler.ts'),
          timeoutSeconds: 60,
          memoryMb: 1769,
          environment: {
            STAGE: deployment.stage,
            KAFKA_CLUSTER_ID: broker.clusterId,
            LANDING_BUCKET: BUCKET,
            UNAVAILABLE_PLACEHOLDER: 'f'.repeat(32),
            TABLES_FILE: registryFile,
          },
        },
      },
      onLostEvent: () => undefined,
      onOutput: () => undefined,
    },
  }).then(async (endpoint) => {
    const made = await fetch(`${endpoint.url}/${BUCKET}`, {
      method: 'PUT',
      headers: { authorization: 'AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/s3/aws4_request' },
    });
    expect(made.status).toBe(200);
    return endpoint;
  });
}

/** Passes requests on to the endpoint; PUTs may be held back on their way. */
async function startGate(target: string) {
  let holding = false;
  const held: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    if (holding && request.method === 'PUT') {
      held.push(request);
      return;
    }
    const { method, headers } = request;
    const onward = httpRequest(new URL(request.url ?? '/', target), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    held: () => held.length,
    holdPuts: () => {
      holding = true;
    },
    open: () => {
      holding = false;
      for (const request of held) request.destroy();
    },
    async stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function runPipe(endpointUrl: string): ChildProcess {
  const log = openSync(pipeLog(), 'a');
  const child = spawn(
    process.execPath,
    [
      join(PROJECT_ROOT, 'local/pipe/main.ts'),
      ...['--broker', broker.address],
      ...['--bucket', BUCKET],
      ...['--function', deployedName(deployment, 'enrich')],
      ...['--registry', registryFile],
      ...['--stage', deployment.stage],
      ...['--status', statusFile],
    ],
    {
      stdio: ['ignore', log, log],
      env: {
        ...process.env,
        AWS_ENDPOINT_URL: endpointUrl,
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'local',
        AWS_SECRET_ACCESS_KEY: 'local',
      },
    },
  );
  closeSync(log);
  running.unshift({ stop: async () => child.exitCode ?? child.kill('SIGKILL') });
  return child;
}

async function produce(topic: string, messages: Message[]): Promise<void> {
  await producer.send({ topic, messages, compression: CompressionTypes.GZIP });
}

function committed(topic: string): Promise<number> {
  return withAdmin(broker.address, async (admin) => {
    // An admin client finds the group's coordinator only after it has seen the cluster.
    await admin.fetchTopicMetadata({ topics: [topic] });
    const [offsets] = await admin.fetchOffsets({ groupId: groupOf(topic), topics: [topic] });
    return Number(offsets?.partitions[0]?.offset ?? -1);
  });
}

async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  runner?: PipeRunner,
): Promise<void> {
  for (const deadline = Date.now() + BOUND_MS; !(await holds()); await pause(50)) {
    if (Date.now() < deadline) continue;
    const status: PipeStatus | null = runner?.status() ?? (await saved());
    throw new Error(
      `${what} did not come within ${BOUND_MS / 1000} s.\n${JSON.stringify(status, null, 1)}\n${tail(pipeLog())}`,
    );
  }
}
