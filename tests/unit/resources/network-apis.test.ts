import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { functionAccess } from '../../../resources/function-roles.ts';
import { endpointApis, FUNCTIONS } from '../../../resources/network-apis.ts';
import { configuration } from './stage-context.ts';

const FOLDER = join(import.meta.dirname, '..', '..', '..', 'functions');

/** SDK clients whose service is called otherwise at its endpoint. */
const API_OF_CLIENT: Record<string, string> = {
  'secrets-manager': 'secretsmanager',
  sfn: 'states',
  cloudwatch: 'monitoring',
  firehose: 'kinesis-firehose',
};

/** Actions in a role that no code of the function calls: by Lambda for it, or by a service in its name. */
const NOT_CALLED = new Set(['ec2', 'kms', 'logs', 'xray', 'kafka-cluster']);

const API_OF_ACTION: Record<string, string> = { cloudwatch: 'monitoring', firehose: 'kinesis-firehose' };

const functions = readdirSync(FOLDER).filter((name) => existsSync(join(FOLDER, name, 'handler.ts')));

function importedApis(name: string): string[] {
  const text = globSync(join(FOLDER, name, '**/*.ts'))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n');
  const clients = [...text.matchAll(/from '@aws-sdk\/client-([a-z0-9-]+)'/g)].map(
    ([, client]) => client as string,
  );
  return [...new Set(clients.map((client) => API_OF_CLIENT[client] ?? client))].sort();
}

describe('the table of workloads and the APIs they call', () => {
  it('has every function, and no other', () => {
    expect(Object.keys(FUNCTIONS).sort()).toEqual([...functions].sort());
    expect(Object.keys(configuration().functions).sort()).toEqual([...functions].sort());
  });

  it.each(functions)('says for %s what its code imports', (name) => {
    expect([...(FUNCTIONS[name]?.apis ?? [])].sort()).toEqual(importedApis(name));
  });

  it.each(functions)('says for %s where serverless.yml runs it', (name) => {
    expect(FUNCTIONS[name]?.vpc).toBe(configuration().functions[name]?.vpc !== undefined);
  });

  it('gives each function that reaches the source the authorities that RDS is verified with', () => {
    const environments = Object.values(configuration().functions).map(({ environment }) => environment ?? {});
    const reaching = environments.filter((environment) => 'SOURCE_SSLMODE' in environment);
    expect(reaching.length).toBeGreaterThan(0);
    for (const environment of reaching) {
      expect(environment).toMatchObject({ NODE_EXTRA_CA_CERTS: '/var/runtime/ca-cert.pem' });
    }
  });

  it.each(functions)('covers what the role of %s allows', (name) => {
    const access = functionAccess('cdc-demo-dev')[name];
    const services = (access?.statements ?? []).flatMap(({ Action }) =>
      Action.map((action) => action.split(':')[0]),
    );
    const apis = services
      .filter((service) => !NOT_CALLED.has(service as string))
      .map((service) => API_OF_ACTION[service as string] ?? service);
    expect(FUNCTIONS[name]?.apis).toEqual(expect.arrayContaining([...new Set(apis)]));
    expect(FUNCTIONS[name]?.vpc).toBe(access?.vpc);
  });

  it('makes an endpoint of each API that is called from inside the network, and of no other', () => {
    expect(endpointApis()).toEqual({
      gateways: ['s3'],
      interfaces: ['ecr.api', 'ecr.dkr', 'logs', 'pipes-data', 'secretsmanager'],
    });
  });
});
