import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import {
  DeleteFunctionConcurrencyCommand,
  LambdaClient,
  PutFunctionConcurrencyCommand,
} from '@aws-sdk/client-lambda';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  type DescribeExecutionOutput,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { DeleteMessageBatchCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { landingPrefix } from '../../functions/cdc/names.ts';
import { type Endpoint, startEndpoint } from '../../local/aws/endpoint.ts';
import { ACCOUNT, deployedName, type FunctionDefinition } from '../../local/aws/lambda/function.ts';
import { motoCommand, motoIsReady } from '../../local/aws/moto.ts';
import { clientSettings, createPlatform, type Platform, substitutionsOf } from '../../local/aws/platform.ts';
import { loadStateMachine, type TimeScale } from '../../local/aws/state-machine.ts';
import { type EndpointConfig, endpointOptions, functionsOf } from '../../local/aws/twin.ts';
import { choosePorts } from '../../local/process/ports.ts';
import { FaultyProxy } from './faulty-proxy.ts';
import { PlannedFunctions } from './planned-functions.ts';
import { PlannedWorker } from './spark-worker.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const BUCKET = 'lake-test';
const ASSETS = 's3://deployed/assets/0123';
const RUN_WITHIN_MS = 180_000;
const MOTO_WITHIN_MS = 120_000;
const LOOK_EVERY_MS = 75;

/** An execution that has ended, with its whole history. */
export type Ended = DescribeExecutionOutput & { history: HistoryEvent[]; states: string[] };

/** The real engine, endpoint and functions, around a planned Spark worker. */
export type Stack = {
  endpoint: Endpoint;
  config: EndpointConfig;
  platform: Platform;
  worker: PlannedWorker;
  proxy: FaultyProxy;
  sfn: SFNClient;
  bucketFolder: string;
  /** Makes bronze's next listing find something. */
  land(): void;
  /** Stand for the functions that need a database or Kafka Connect, once `plan` was called. */
  planned: PlannedFunctions;
  plan(...names: string[]): void;
  /** Makes a variant of a machine, changed as text; answers its ARN. */
  putMachine(
    machine: 'medallion' | 'maintenance' | 'backfill',
    change: (definition: string) => string,
  ): Promise<string>;
  start(input?: object, name?: string): Promise<string>;
  /** Starts another state machine than the medallion; answers the execution's ARN. */
  startOther(stateMachineArn: string, input?: object, name?: string): Promise<string>;
  ended(executionArn: string): Promise<Ended>;
  run(input?: object): Promise<Ended>;
  runOther(stateMachineArn: string, input?: object): Promise<Ended>;
  /** Waits until a running execution has entered a state, or a state in it has met an error. */
  until(executionArn: string, happened: (history: HistoryEvent[]) => boolean): Promise<void>;
  /** Reserved concurrency of a function: 0 throttles every call. */
  throttle(name: string): Promise<void>;
  unthrottle(name: string): Promise<void>;
  /** Deploys a function with other variables in its environment; without any, as it was. */
  deploy(name: string, environment?: Record<string, string>): void;
  /** ARN of the execution that holds a lock, the medallion's unless said otherwise. */
  lockHolder(lock?: string): Promise<string | undefined>;
  /** Messages that reached the alert queue since the last call. */
  alerts(): Promise<string[]>;
  close(): Promise<void>;
};

/** Starts everything on free ports in a scratch folder. */
export async function startStack(scale: TimeScale): Promise<Stack> {
  const folder = mkdtempSync(join(tmpdir(), 'cdc-stack-'));
  const log = join(folder, 'log');
  const lakeFolder = join(folder, 'lake');
  const bucketFolder = join(lakeFolder, BUCKET);
  const worker = new PlannedWorker(bucketFolder);
  const ports = await choosePorts(['moto', 'endpoint', 'nobody'], {});
  const {
    moto: motoPort,
    endpoint: endpointPort,
    nobody,
  } = ports as Record<'moto' | 'endpoint' | 'nobody', number>;
  const moto = await startMoto(motoPort, endpointPort, log);
  const proxy = new FaultyProxy(`http://127.0.0.1:${motoPort}`);
  const config: EndpointConfig = {
    port: endpointPort,
    motoUrl: await proxy.listen(),
    workerUrl: await worker.listen(),
    lakeFolder,
    project: 'cdc_demo',
    stage: 'test',
    bucket: BUCKET,
    lakeRoot: `file://${bucketFolder}`,
    registryFile: join(ROOT, 'tables.yml'),
    kafkaClusterId: 'test',
    kafkaBroker: '127.0.0.1:1',
    placeholder: 'test',
    // Nobody is there: preflight warns, and judges what has landed.
    connectUrl: `http://127.0.0.1:${nobody}`,
    sourceUrl: `postgres://nobody@127.0.0.1:${nobody}/nowhere`,
  };
  const endpoint = await startEndpoint(endpointOptions(config, (text) => appendFileSync(log, text)));
  const settings = clientSettings(endpoint.url);
  const platform = await createPlatform({
    ...config,
    endpointUrl: endpoint.url,
    assets: ASSETS,
    scale,
  });
  const sfn = new SFNClient(settings);
  const sqs = new SQSClient(settings);
  const lambda = new LambdaClient(settings);
  const dynamo = new DynamoDBClient(settings);
  const functions = functionsOf(config);

  const startAny = async (stateMachineArn: string, input: object, name: string) => {
    const asked = { stateMachineArn, name, input: JSON.stringify(input) };
    const { executionArn } = await sfn.send(new StartExecutionCommand(asked));
    return executionArn as string;
  };
  const newName = () => `run-${process.hrtime.bigint()}`;
  const start = (input: object = {}, name = newName()) => startAny(platform.medallionArn, input, name);
  const startOther = (machine: string, input: object = {}, name = newName()) =>
    startAny(machine, input, name);
  const planned = new PlannedFunctions();
  const plannedUrl = await planned.listen();
  const ended = (executionArn: string) => untilEnded(sfn, executionArn, log);
  return {
    endpoint,
    config,
    platform,
    worker,
    proxy,
    sfn,
    bucketFolder,
    land: () => land(bucketFolder),
    planned,
    plan(...names) {
      for (const name of names) {
        const definition = functions[deployedName(config, name)] as FunctionDefinition;
        endpoint.deploy(deployedName(config, name), {
          ...definition,
          handler: new URL('./planned-function.ts', import.meta.url).href,
          environment: { PLANNED_URL: `${plannedUrl}/${name}` },
        });
      }
    },
    async putMachine(machine, change) {
      const given = substitutionsOf({ ...config, assets: ASSETS }, platform.alertTopicArn)[machine];
      const file = join(ROOT, 'statemachines', `${machine}.asl.yml`);
      const definition = loadStateMachine(file, given, scale);
      const changed = change(definition);
      if (changed === definition) throw new Error(`The variant of ${machine} is no other`);
      const name = `${machine}-${process.hrtime.bigint()}`;
      const roleArn = `arn:aws:iam::${ACCOUNT}:role/${machine}`;
      const made = await sfn.send(new CreateStateMachineCommand({ name, definition: changed, roleArn }));
      return made.stateMachineArn as string;
    },
    start,
    startOther,
    ended,
    run: async (input) => ended(await start(input)),
    runOther: async (machine, input) => ended(await startOther(machine, input)),
    async until(executionArn, happened) {
      for (const deadline = Date.now() + RUN_WITHIN_MS; ; await pause(LOOK_EVERY_MS)) {
        const history = await historyOf(sfn, executionArn);
        if (happened(history)) return;
        const ended = history.some(
          ({ type }) => type?.startsWith('Execution') && type !== 'ExecutionStarted',
        );
        if (ended || Date.now() > deadline) throw new Error(`It did not happen: ${statesIn(history)}`);
      }
    },
    async throttle(name) {
      const FunctionName = deployedName(config, name);
      await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }));
    },
    async unthrottle(name) {
      await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName: deployedName(config, name) }));
    },
    deploy(name, environment = {}) {
      const deployed = deployedName(config, name);
      const definition = functions[deployed] as FunctionDefinition;
      const merged = { ...definition.environment, ...environment };
      endpoint.deploy(deployed, { ...definition, environment: merged });
    },
    async lockHolder(lock = 'medallion') {
      const Key = { lock: { S: lock } };
      const { Item } = await dynamo.send(new GetItemCommand({ TableName: platform.lockTable, Key }));
      return Item?.['owner']?.S;
    },
    alerts: () => receiveAll(sqs, platform.alertQueueUrl),
    async close() {
      await endpoint.close();
      await proxy.close();
      await planned.close();
      if (worker.listening) await worker.crash();
      await stop(moto);
      rmSync(folder, { recursive: true });
    },
  };
}

async function startMoto(port: number, endpointPort: number, log: string): Promise<ChildProcess> {
  const python = join(ROOT, '.venv/bin/python');
  const { command, args, env } = motoCommand({ python, port, endpointPort });
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => appendFileSync(log, text));
  const url = `http://127.0.0.1:${port}`;
  for (const deadline = Date.now() + MOTO_WITHIN_MS; !(await motoIsReady(url)); await pause(100)) {
    if (child.exitCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(
        `moto did not start; its log:\n${existsSync(log) ? readFileSync(log, 'utf8') : '(none)'}`,
      );
    }
  }
  return child;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

function land(bucketFolder: string): void {
  const file = join(bucketFolder, landingPrefix('public.users', new Date()), `${process.hrtime.bigint()}.gz`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, 'a landed file; only its name is looked at here');
}

async function untilEnded(sfn: SFNClient, executionArn: string, log: string): Promise<Ended> {
  for (const deadline = Date.now() + RUN_WITHIN_MS; ; await pause(50)) {
    const execution = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    const history = await historyOf(sfn, executionArn);
    const states = statesIn(history);
    if (execution.status !== 'RUNNING') return { ...execution, history, states };
    if (Date.now() > deadline) {
      const tail = readFileSync(log, 'utf8').slice(-4000);
      throw new Error(
        `${executionArn} has not ended in ${RUN_WITHIN_MS} ms, it is at ${states.at(-1)}; log:\n${tail}`,
      );
    }
  }
}

/** The states entered, in order. */
export function statesIn(history: HistoryEvent[]): string[] {
  return history.flatMap(({ stateEnteredEventDetails }) => stateEnteredEventDetails?.name ?? []);
}

async function historyOf(sfn: SFNClient, executionArn: string): Promise<HistoryEvent[]> {
  const { events } = await sfn.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 }));
  return events ?? [];
}

async function receiveAll(sqs: SQSClient, queueUrl: string): Promise<string[]> {
  const messages: string[] = [];
  for (;;) {
    const { Messages } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: queueUrl, MaxNumberOfMessages: 10 }),
    );
    if (!Messages || Messages.length === 0) return messages;
    messages.push(...Messages.map(({ Body }) => Body ?? ''));
    const Entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
  }
}

/** The errors that a state met, in order, as its history tells them. */
export function errorsIn({ history }: { history: HistoryEvent[] }): string[] {
  return history.flatMap(
    ({ taskFailedEventDetails: failed, taskTimedOutEventDetails: late }) =>
      failed?.error ?? late?.error ?? [],
  );
}

/** A definition in which one state's job may take ten seconds, not hours; every other state keeps the time it has. */
export function hurried(definition: string, state: string): string {
  const machine = JSON.parse(definition) as { States: Record<string, { TimeoutSeconds?: number }> };
  const job = machine.States[state];
  if (job?.TimeoutSeconds === undefined) throw new Error(`${state} has no timeout to make shorter`);
  job.TimeoutSeconds = 10;
  return JSON.stringify(machine);
}
