/** Whether the region still offers the versions that the stage's parameters name: AWS takes old ones away. */
import { KafkaClient, paginateListKafkaVersions } from '@aws-sdk/client-kafka';
import { paginateDescribeDBEngineVersions, RDSClient } from '@aws-sdk/client-rds';
import { type Check, missing, note, ok } from '../../check.ts';
import { firstLine } from '../errors.ts';
import type { ClientSettings } from '../place.ts';

/** Versions as serverless.yml's parameters have them; without a database of the stack's own, null. */
export type Versions = { kafka: string; postgres: string | null };

/** Looks for each version among those that a deployment may name. */
export async function checkVersions(
  settings: ClientSettings,
  { kafka, postgres }: Versions,
): Promise<Check[]> {
  const checks = [checkVersion('Kafka version', kafka, 'kafkaVersion', () => kafkaVersions(settings))];
  if (postgres !== null) {
    const offered = () => postgresVersions(settings, postgres.split('.')[0] as string);
    checks.push(checkVersion('PostgreSQL version', postgres, 'databaseVersion', offered));
  }
  return Promise.all(checks);
}

async function checkVersion(
  what: string,
  wanted: string,
  parameter: string,
  offered: () => Promise<string[]>,
): Promise<Check> {
  try {
    const versions = await offered();
    if (versions.includes(wanted)) return ok(what, `${wanted} is offered`);
    return missing(
      what,
      `${wanted} is not offered here`,
      `Set ${parameter} in serverless.yml, params, to one of: ${versions.join(', ') || 'none of this kind'}`,
    );
  } catch (error) {
    return note(what, `not read: ${firstLine(error)}`, `The stage takes ${wanted}.`);
  }
}

async function kafkaVersions(settings: ClientSettings): Promise<string[]> {
  const versions: string[] = [];
  for await (const { KafkaVersions } of paginateListKafkaVersions(
    { client: new KafkaClient(settings) },
    {},
  )) {
    for (const { Status, Version } of KafkaVersions ?? []) {
      if (Status === 'ACTIVE' && Version) versions.push(Version);
    }
  }
  return versions;
}

/** Those of one major version. */
async function postgresVersions(settings: ClientSettings, major: string): Promise<string[]> {
  const versions: string[] = [];
  const pages = paginateDescribeDBEngineVersions({ client: new RDSClient(settings) }, { Engine: 'postgres' });
  for await (const { DBEngineVersions } of pages) {
    versions.push(...(DBEngineVersions ?? []).flatMap(({ EngineVersion }) => EngineVersion ?? []));
  }
  return versions.filter((version) => version.startsWith(`${major}.`));
}
