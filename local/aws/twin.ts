import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { sourceConnection } from '../../functions/cdc/source-url.ts';
import { DeployedJobs } from './deployed-jobs.ts';
import type { EndpointOptions } from './endpoint.ts';
import type { JobDefinition } from './glue.ts';
import { deployedName, type FunctionDefinition } from './lambda/function.ts';
import type { Command } from './moto.ts';
import { lockTableName, REGION } from './platform.ts';

/** Everything that the twin's endpoint is told, as JSON in the environment of its process. */
export type EndpointConfig = {
  port: number;
  motoUrl: string;
  /** The Spark worker's HTTP API. */
  workerUrl: string;
  /** Folder with one folder a bucket. */
  lakeFolder: string;
  project: string;
  stage: string;
  bucket: string;
  /** The bucket as Spark reads it, e.g. `file:///.../lake/<bucket>`. */
  lakeRoot: string;
  /** tables.yml. */
  registryFile: string;
  kafkaClusterId: string;
  /** host:port. */
  kafkaBroker: string;
  /** Debezium's token for unchanged values. */
  placeholder: string;
  connectUrl: string;
  /** `postgres://` URL of the source with a role that may log in. */
  sourceUrl: string;
};

/** What an endpoint is told to which `sls deploy` is to bring everything: it has no functions or jobs of its own. */
export type DeploymentEndpointConfig = Pick<
  EndpointConfig,
  'port' | 'motoUrl' | 'workerUrl' | 'lakeFolder' | 'kafkaBroker'
> & {
  /** Where the functions' code is unpacked. */
  codeFolder: string;
};

/** Name of the variable with the config; a command line would show the source's password to every user. */
export const CONFIG_VARIABLE = 'CDC_ENDPOINT_CONFIG';

/** The twin lands small files every second: 25 hours of them, as on AWS, would take long to list at each run. */
const LOOK_BACK_HOURS = '2';

const PROJECT_ROOT = new URL('../../', import.meta.url);

/** How long the twin's lake can be read as it was: a loop makes a snapshot every few seconds, day and night. */
const RETENTION_DAYS = '1';

/** Ids of the secrets that the functions read, as a stage has them. */
function secretIds(deployment: { project: string; stage: string }) {
  const id = (name: string) => deployedName(deployment, name);
  return { source: id('source'), replication: id('replication'), placeholder: id('placeholder') };
}

/** What the functions find in Secrets Manager, by secret id. */
export function secretsOf(
  config: Pick<EndpointConfig, 'project' | 'stage' | 'sourceUrl' | 'placeholder'>,
  replication: { name: string; password: string },
): Record<string, string> {
  const ids = secretIds(config);
  const { host, port, database, user, password, sslmode } = sourceConnection(config.sourceUrl);
  return {
    [ids.source]: JSON.stringify({ host, port, dbname: database, username: user, password, sslmode }),
    [ids.replication]: JSON.stringify({ username: replication.name, password: replication.password }),
    [ids.placeholder]: config.placeholder,
  };
}

/** The endpoint as a child process of the twin; it is healthy when `GET /health` answers. */
export function endpointCommand(config: EndpointConfig): Command {
  return {
    command: process.execPath,
    args: [fileURLToPath(new URL('./main.ts', import.meta.url))],
    env: { [CONFIG_VARIABLE]: JSON.stringify(config) },
  };
}

/** The endpoint with this project's functions and jobs. `write` gets what the functions log. */
export function endpointOptions(config: EndpointConfig, write: (text: string) => void): EndpointOptions {
  return {
    port: config.port,
    motoUrl: config.motoUrl,
    lakeFolder: config.lakeFolder,
    glue: { workerUrl: config.workerUrl, jobs: jobsOf(config) },
    lambda: {
      region: REGION,
      functions: functionsOf(config),
      warm: true,
      onOutput: (_name, text) => write(text),
      onLostEvent: (name, error) => write(`${name} lost an event that nobody waits for: ${error}\n`),
    },
  };
}

/** An endpoint for `sls deploy`. `write` gets what the functions log. */
export function deploymentEndpointOptions(
  config: DeploymentEndpointConfig,
  write: (text: string) => void,
): EndpointOptions {
  const { port, motoUrl, workerUrl, lakeFolder, codeFolder, kafkaBroker } = config;
  return {
    port,
    motoUrl,
    lakeFolder,
    kafkaBroker,
    glue: { workerUrl, jobs: {}, deployed: new DeployedJobs(motoUrl, lakeFolder) },
    lambda: {
      region: REGION,
      functions: {},
      warm: false,
      onOutput: (_name, text) => write(text),
      onLostEvent: (name, error) => write(`${name} lost an event that nobody waits for: ${error}\n`),
      deployments: {
        motoUrl,
        lakeFolder,
        codeFolder,
        modules: fileURLToPath(new URL('node_modules', PROJECT_ROOT)),
      },
    },
  };
}

/** `cdc-demo-dev-bronze` and so on, with what the deployment gives every run. */
export function jobsOf(config: EndpointConfig): Record<string, JobDefinition> {
  const jobs = {
    bronze: {},
    silver: {},
    gold: {},
    maintenance: { '--retention_days': RETENTION_DAYS },
  };
  const definitions = Object.entries(jobs).map(([layer, own]): [string, JobDefinition] => [
    deployedName(config, layer),
    {
      defaultArguments: {
        ...own,
        '--layer': layer,
        '--project': config.project,
        '--stage': config.stage,
        '--bucket': config.bucket,
        '--lake_root': config.lakeRoot,
      },
    },
  ]);
  return Object.fromEntries(definitions);
}

/** The functions of serverless.yml that the state machines and the pipes use, with the twin's addresses for AWS's. */
export function functionsOf(config: EndpointConfig): Record<string, FunctionDefinition> {
  const own = functionEnvironments(config);
  const common = {
    PROJECT: config.project,
    STAGE: config.stage,
    LANDING_BUCKET: config.bucket,
    TABLES_FILE: config.registryFile,
  };
  const { provider, functions } = readServerless();
  const definitions = Object.entries(own).map(([name, environment]): [string, FunctionDefinition] => {
    const declared = functions[name];
    if (declared === undefined) throw new Error(`serverless.yml has no function ${name}`);
    const module = declared.handler.replace(/\.\w+$/, '.ts');
    return [
      deployedName(config, name),
      {
        handler: new URL(module, PROJECT_ROOT).href,
        timeoutSeconds: declared.timeout ?? provider.timeout,
        memoryMb: declared.memorySize ?? provider.memorySize,
        environment: { ...common, ...environment },
      },
    ];
  });
  return Object.fromEntries(definitions);
}

function functionEnvironments(config: EndpointConfig): Record<string, Record<string, string>> {
  const secrets = secretIds(config);
  const { sslrootcert } = sourceConnection(config.sourceUrl);
  return {
    enrich: { KAFKA_CLUSTER_ID: config.kafkaClusterId, UNAVAILABLE_PLACEHOLDER: config.placeholder },
    preflight: {
      CONNECT_URL: config.connectUrl,
      SOURCE_URL: config.sourceUrl,
      LANDING_LOOK_BACK_HOURS: LOOK_BACK_HOURS,
    },
    gate: {},
    'run-lock': { LOCK_TABLE: lockTableName(config), JOB_NAMES: Object.keys(jobsOf(config)).join(',') },
    source: {
      SOURCE_SECRET_ID: secrets.source,
      REPLICATION_SECRET_ID: secrets.replication,
      // The secret names no file; without it the function takes the process's own PGSSLROOTCERT.
      ...(sslrootcert ? { PGSSLROOTCERT: sslrootcert } : {}),
    },
    connector: {
      CONNECT_URL: config.connectUrl,
      SOURCE_SECRET_ID: secrets.source,
      REPLICATION_SECRET_ID: secrets.replication,
      UNAVAILABLE_PLACEHOLDER_SECRET_ARN: secrets.placeholder,
      REPLICATION_FACTOR: '1',
    },
    events: { KAFKA_BROKERS: config.kafkaBroker, UNAVAILABLE_PLACEHOLDER: config.placeholder },
  };
}

type Serverless = {
  provider: { timeout: number; memorySize: number };
  functions: Record<string, { handler: string; timeout?: number; memorySize?: number }>;
};

/** serverless.yml as text: its CloudFormation tags (`!Sub`) stay unread, for only numbers and paths are taken. */
function readServerless(): Serverless {
  const text = readFileSync(new URL('serverless.yml', PROJECT_ROOT), 'utf8');
  return parse(text, { logLevel: 'error' }) as Serverless;
}
