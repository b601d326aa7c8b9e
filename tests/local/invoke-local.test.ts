import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, parse } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sourceConnection } from '../../functions/cdc/source-url.ts';
import { awaitSnapshot } from '../../functions/connector/apply.ts';
import { motoCommand, motoIsReady } from '../../local/aws/moto.ts';
import { clientSettings } from '../../local/aws/platform.ts';
import { tail } from '../../local/process/log.ts';
import { choosePorts } from '../../local/process/ports.ts';
import { ensureSecrets, PROJECT_ROOT, removeState } from '../../local/state.ts';
import { configuration } from '../unit/resources/stage-context.ts';
import { query, type Stack, startStack } from './stack.ts';

const BOUND_MS = 180_000;
const bin = join(PROJECT_ROOT, 'node_modules', '.bin');
const root = mkdtempSync(join(tmpdir(), 'cdc-invoke-local-'));
const motoLog = join(root, 'moto.log');
let stack: Stack;
let moto: ChildProcess;
let endpoint: string;

beforeAll(async () => {
  [stack, endpoint] = await Promise.all([
    startStack(join(root, 'state'), { orphan: () => {}, event: () => {} }),
    startMoto(),
  ]);
  await makePlatform();
});

afterAll(async () => {
  moto?.kill('SIGKILL');
  if (stack !== undefined) {
    await stack.supervisor.stopAll();
    stack.state.release();
  }
  await removeState(join(root, 'state'));
  rmSync(root, { recursive: true, force: true });
});

/** The services that functions call, without an account. */
async function startMoto(): Promise<string> {
  const { moto: port } = (await choosePorts(['moto'], {})) as { moto: number };
  const python = join(PROJECT_ROOT, '.venv/bin/python');
  const { command, args, env } = motoCommand({ python, port, endpointPort: port });
  moto = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [moto.stdout, moto.stderr])
    stream?.on('data', (text) => appendFileSync(motoLog, text));
  const url = `http://127.0.0.1:${port}`;
  await until('moto', () => motoIsReady(url));
  return url;
}

/** What a deployment makes and the functions of the stage `local` look for. */
async function makePlatform(): Promise<void> {
  const settings = clientSettings(endpoint);
  const secrets = new SecretsManagerClient(settings);
  const { user: username, password } = sourceConnection(stack.postgres.admin);
  // Connect has this password in its environment: the replication role gets it, too.
  const role = { username: 'cdc_demo_dev_replication', password: passwordOfConnect() };
  for (const [Name, value] of Object.entries({
    'local-source': { username, password },
    'local-replication': role,
  })) {
    await secrets.send(new CreateSecretCommand({ Name, SecretString: JSON.stringify(value) }));
  }
  await new S3Client(settings).send(new CreateBucketCommand({ Bucket: 'local-landing' }));
  await new DynamoDBClient(settings).send(
    new CreateTableCommand({
      TableName: 'cdc-demo-dev-run-lock',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'lock', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'lock', KeyType: 'HASH' }],
    }),
  );
}

function passwordOfConnect(): string {
  return ensureSecrets(stack.state.paths, ['postgres']).passwords['postgres'] as string;
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + BOUND_MS; !(await holds()); await pause(200)) {
    if (Date.now() > deadline) throw new Error(`${what}: not within ${BOUND_MS / 1000} s\n${logs()}`);
  }
}

function logs(): string {
  const children = ['postgres', 'kafka', 'connect'].map((name) => join(root, 'state', 'logs', `${name}.log`));
  return [motoLog, ...children].map((file) => `--- ${file}\n${tail(file)}`).join('\n');
}

/** What a person types; the environment is that of a machine without credentials, but for the endpoint. */
async function invoke(
  name: string,
  file = `tests/fixtures/events/${name}.json`,
  variables: Record<string, string> = {},
): Promise<{ answer: unknown; output: string }> {
  const local = {
    AWS_ENDPOINT_URL: endpoint,
    SOURCE_PORT: String(sourceConnection(stack.postgres.admin).port),
    CONNECT_URL: stack.url,
    KAFKA_BROKERS: stack.broker,
    REPLICATION_FACTOR: '1',
    ...variables,
  };
  const set = Object.entries(local).flatMap(([key, value]) => ['-e', `${key}=${value}`]);
  const env = {
    PATH: `${bin}:${process.env['PATH']}`,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    // Packaging leaves folders in the place for temporary files.
    TMPDIR: root,
  };
  const { stdout } = await promisify(execFile)(
    join(bin, 'sls'),
    ['invoke', 'local', '-f', name, '--stage', 'local', '--path', file, ...set],
    { cwd: PROJECT_ROOT, timeout: BOUND_MS, env },
  ).catch((error: Error & { stdout?: string; stderr?: string }) => {
    throw new Error(`${error.message}\n${error.stdout}\n${error.stderr}\n${logs()}`);
  });
  // Logs and metrics come first, a line each; the answer is the last, indented JSON text.
  const output = `\n${stdout}`;
  const start = Math.max(output.lastIndexOf('\n{\n'), output.lastIndexOf('\n[\n'));
  return { answer: start < 0 ? null : JSON.parse(output.slice(start)), output };
}

describe('sls invoke local', () => {
  it('has an event for every function', () => {
    const recorded = readdirSync(join(PROJECT_ROOT, 'tests/fixtures/events')).map((file) => parse(file).name);
    // A pipe's batch stands beside the other recordings of Debezium.
    expect([...recorded, 'enrich'].sort()).toEqual(Object.keys(configuration().functions).sort());
  });

  it('source: prepares the database, and gives it the sample', async () => {
    const { answer } = await invoke('source', undefined, {
      SAMPLE_SCHEMA: 'true',
      SAMPLE_FOLDER: join(PROJECT_ROOT, 'sql', 'source'),
    });
    expect(answer).toMatchObject({ ok: true, messageKeys: {}, reason: null });
    expect((answer as { done: string[] }).done[0]).toContain("make the sample's tables and rows");
  });

  it('connector: puts the connector, which then streams', async () => {
    expect((await invoke('connector')).answer).toEqual({
      connector: 'cdc_demo_dev_postgres',
      applied: 'created',
    });
    // What is asked below looks at what the snapshot has put into Kafka.
    await awaitSnapshot(stack.api, 'cdc_demo_dev_postgres', { withinMs: BOUND_MS, restarts: 0 });
    await until('the slot', async () => {
      const [slot] = await query(stack.postgres.admin, 'SELECT active FROM pg_replication_slots');
      return slot?.['active'] === true;
    });
  });

  it('slot-monitor: measures the slot', async () => {
    const { answer, output } = await invoke('slot-monitor');
    expect(answer).toMatchObject({
      measures: { SlotActive: 1, SlotLagBytes: expect.any(Number) },
      problem: null,
    });
    expect(output).toContain('"Namespace":"cdc_demo_dev"');
  });

  it('events: shows the changes of a table', async () => {
    const { answer } = await invoke('events');
    const { records, next } = answer as {
      records: { event: { op: string; payload: string } }[];
      next: object;
    };
    expect(records.map(({ event }) => event.op)).toEqual(['r', 'r', 'r']);
    expect(JSON.parse(records[0]?.event.payload ?? '').after).toMatchObject({
      id: 1,
      quantity: expect.any(Number),
    });
    expect(next).toEqual({ 0: '3' });
  });

  it('preflight: says that nothing has landed yet', async () => {
    expect((await invoke('preflight')).answer).toMatchObject({
      go: false,
      refuse: null,
      reason: 'nothing has landed since the last run',
      warnings: [],
      source: { epoch: 1, system_identifier: expect.stringMatching(/^\d+$/) },
    });
  });

  it('enrich: makes packs of a recorded batch', async () => {
    const { answer } = await invoke('enrich', 'tests/fixtures/pipe/orders.json');
    expect(answer).toMatchObject([
      { table: 'public.orders', from_offset: '0', to_offset: '18', quarantined: [] },
    ]);
  });

  it('gate: explains a run in the words of an alert', async () => {
    expect((await invoke('gate')).answer).toMatchObject({
      message: expect.stringContaining('cdc.public.orders'),
    });
  });

  it('run-lock: takes the lock', async () => {
    expect((await invoke('run-lock')).answer).toEqual({ taken: true, reason: 'the lock was free' });
  });

  it('pipe-keeper: finds no pipe to look after', async () => {
    expect((await invoke('pipe-keeper')).answer).toEqual({ pipes: 0, notRunning: [], lag: null });
  });

  it('rotate-secret: makes the next password', async () => {
    const secrets = new SecretsManagerClient(clientSettings(endpoint));
    const { ClientRequestToken } = JSON.parse(
      readFileSync('tests/fixtures/events/rotate-secret.json', 'utf8'),
    );
    await secrets.send(
      new PutSecretValueCommand({
        SecretId: 'local-replication',
        ClientRequestToken,
        SecretString: '{}',
        VersionStages: ['AWSPENDING'],
      }),
    );
    const { output } = await invoke('rotate-secret');
    expect(output).toContain('rotation createSecret: the new password waits');
  });

  it('custom-resource: answers CloudFormation', async () => {
    const answers: string[] = [];
    const waiting = createServer(async (request, response) => {
      for await (const chunk of request) answers.push(String(chunk));
      response.end();
    });
    await once(waiting.listen(0, '127.0.0.1'), 'listening');
    try {
      const recorded = readFileSync('tests/fixtures/events/custom-resource.json', 'utf8');
      const file = join(root, 'custom-resource.json');
      writeFileSync(file, recorded.replace(':4599/', `:${(waiting.address() as AddressInfo).port}/`));
      expect((await invoke('custom-resource', file)).answer).toEqual({ status: 'SUCCESS', reason: null });
      expect(JSON.parse(answers.join(''))).toMatchObject({
        Status: 'SUCCESS',
        PhysicalResourceId: 'cdc-demo-dev/KafkaAddresses',
      });
    } finally {
      waiting.close();
    }
  });
});
