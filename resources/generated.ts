import { readFileSync } from 'node:fs';
import { parseRegistry, type Registry } from '../functions/cdc/registry.ts';
import { alarms } from './alarms.ts';
import { alertEmail } from './alerts.ts';
import { athena } from './athena.ts';
import { budget } from './budget.ts';
import { captureParts } from './capture.ts';
import { dashboard } from './dashboard.ts';
import { databasePart } from './database.ts';
import { debeziumPart } from './debezium.ts';
import { functionRoles } from './function-roles.ts';
import { kafkaPart } from './kafka.ts';
import { networkPart } from './network.ts';
import { pipes } from './pipes.ts';
import { topicsPart } from './topics.ts';

/** A part of a CloudFormation template, as serverless.yml's `resources` takes it. */
export type TemplatePart = {
  Resources?: Record<string, Resource>;
  /** Added to resources that osls makes, by logical id. */
  extensions?: Record<string, Partial<Resource>>;
  Outputs?: Record<string, unknown>;
};

export type Resource = {
  Type: string;
  DependsOn?: string | string[];
  DeletionPolicy?: 'Delete' | 'Retain' | 'RetainExceptOnCreate' | 'Snapshot';
  UpdateReplacePolicy?: 'Delete' | 'Retain' | 'Snapshot';
  Metadata?: Record<string, unknown>;
  Properties: Record<string, unknown>;
};

/** What a generator knows of the deployment that is packaged. */
export type StageContext = {
  /** `cdc-demo-dev`: how every deployed name begins. */
  prefix: string;
  stage: string;
  /** `us-east-1`, for what differs from region to region. */
  region: string;
  registry: Registry;
  /** A parameter of the stage (`params` in serverless.yml). @throws Error when there is none of that name */
  param(name: string): Promise<string>;
};

/** Reads one variable of serverless.yml, e.g. `param:alertEmail`. */
export type ReadVariable = (variable: string) => Promise<unknown>;

/** Everything under resources/ that is generated from the registry or chosen by parameters. */
export async function generated(read: ReadVariable): Promise<Record<string, TemplatePart>> {
  const registry = parseRegistry(readFileSync(new URL('../tables.yml', import.meta.url), 'utf8'));
  const context: StageContext = {
    prefix: String(await read('self:custom.prefix')),
    stage: String(await read('sls:stage')),
    region: String(await read('self:provider.region')),
    registry,
    param: async (name) => String(await read(`param:${name}`)),
  };
  return partsOf(context);
}

/** The generated parts by the name under which serverless.yml asks for them. */
export async function partsOf(context: StageContext): Promise<Record<string, TemplatePart>> {
  return {
    alarms: await alarms(context),
    alertEmail: await alertEmail(context),
    athena: athena(context),
    budget: await budget(context),
    dashboard: await dashboard(context),
    functionRoles: functionRoles(context),
    connector: captureParts(context),
    network: await networkPart(context),
    database: await databasePart(context),
    kafka: await kafkaPart(context),
    topics: await topicsPart(context),
    debezium: await debeziumPart(context),
    pipes: await pipes(context),
  };
}
