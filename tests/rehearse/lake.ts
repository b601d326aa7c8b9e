import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetJobCommand, GlueClient } from '@aws-sdk/client-glue';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { Deployment } from '../../functions/cdc/names.ts';
import { startSpark } from '../../local/spark/child.ts';
import type { World } from './world.ts';

const QUERY_WITHIN_MS = 300_000;

/** The Spark that runs the deployed jobs, with the code that was deployed for them. */
export type Lake = { query(sql: string): Promise<unknown[][]> };

/** Fetches a job's script and package from where it would, and starts the real Spark with them. */
export async function startLake(
  world: World,
  deployment: Deployment,
  deployed: { job: string; landingBucket: string; lakeBucket: string },
): Promise<Lake> {
  const folder = join(world.state.paths.root, 'glue');
  mkdirSync(folder, { recursive: true });
  for (const uri of await codeOf(world, deployed.job)) {
    writeFileSync(join(folder, uri.split('/').at(-1) ?? ''), await contentOf(world, uri));
  }
  const url = await startSpark(world.supervisor, world.state, {
    port: world.ports.spark,
    endpointUrl: world.clients.endpoint,
    bucket: deployed.landingBucket,
    warehouseBucket: deployed.lakeBucket,
    deployment,
    code: [join(folder, 'lakehouse.zip'), folder],
  });
  return { query: (sql) => query(url, sql) };
}

/** `s3://` URIs of a job's script and of its package. */
async function codeOf({ clients }: World, name: string): Promise<string[]> {
  const { Job } = await new GlueClient(clients).send(new GetJobCommand({ JobName: name }));
  const script = Job?.Command?.ScriptLocation;
  const code = Job?.DefaultArguments?.['--extra-py-files'];
  if (script === undefined || code === undefined)
    throw new Error(`The job ${name} names no script or no package`);
  return [script, code];
}

async function contentOf({ clients }: World, uri: string): Promise<Uint8Array> {
  const [, Bucket, Key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(uri) ?? [];
  const { Body } = await new S3Client(clients).send(new GetObjectCommand({ Bucket, Key }));
  if (Body === undefined) throw new Error(`${uri} is empty`);
  return Body.transformToByteArray();
}

async function query(url: string, sql: string): Promise<unknown[][]> {
  const answer = await fetch(`${url}/query`, {
    method: 'POST',
    body: JSON.stringify({ sql }),
    signal: AbortSignal.timeout(QUERY_WITHIN_MS),
  });
  const body = (await answer.json()) as { rows?: unknown[][]; error?: string };
  if (body.rows === undefined) throw new Error(`${sql}: ${body.error}`);
  return body.rows;
}
