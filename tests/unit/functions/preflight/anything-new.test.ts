import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { landingPrefix } from '../../../../functions/cdc/names.ts';
import { anythingNew } from '../../../../functions/preflight/anything-new.ts';
import { soundReport } from '../../../statemachines/spark-worker.ts';
import { type Alone, startAlone } from '../../local/aws/endpoint-only.ts';

const now = new Date('2026-01-31T12:00:30.000Z');
const minutesAgo = (minutes: number) => new Date(now.getTime() - minutes * 60_000);

let alone: Alone;
let s3: S3Client;
let bucketFolder: string;

beforeAll(async () => {
  alone = await startAlone();
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  s3 = new S3Client({ endpoint: alone.endpoint.url, region: 'us-east-1', credentials });
  bucketFolder = join(alone.lakeFolder, 'lake');
});

afterAll(() => alone?.close());

beforeEach(() => {
  rmSync(bucketFolder, { recursive: true, force: true });
  mkdirSync(bucketFolder, { recursive: true });
});

function write(key: string, body: string, at = now): string {
  const file = join(bucketFolder, key);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, body);
  utimesSync(file, at, at);
  return key;
}

/** A landing file under the hour of `hour`, last changed at `at`. */
function land(name: string, at: Date, hour = at): string {
  return write(`${landingPrefix('public.users', hour)}${name}.gz`, 'x', at);
}

/** Reports of a whole run, bronze having listed at `at`. */
function ran(at: Date, recent: string[] = [], left = 0): void {
  const listing = { at: at.toISOString(), full: false, recent, left };
  for (const layer of ['bronze', 'silver', 'gold'] as const) {
    const changes = layer === 'bronze' ? { listing } : {};
    write(`reports/latest/${layer}.json`, JSON.stringify(soundReport('run-1', layer, changes)));
  }
}

const look = () =>
  anythingNew(s3, { bucket: 'lake', tables: ['public.orders', 'public.users'], lookBackMs: 7_200_000 }, now);

describe('is there anything new', () => {
  it('nothing in an empty landing zone', async () => {
    expect((await look()).kind).toBe('nothing');
  });

  it('whatever has landed before the first run, however old', async () => {
    land('a', new Date('2020-01-01T00:00:00Z'));
    expect((await look()).kind).toBe('landed');
  });

  it('what has landed after the last listing, and not what that listing saw', async () => {
    const seen = land('seen', minutesAgo(3));
    ran(minutesAgo(2), [seen]);
    expect((await look()).kind).toBe('nothing');
    const key = land('later', minutesAgo(1));
    expect(await look()).toEqual({ kind: 'landed', reason: `${key} has landed` });
  });

  it('what appeared with an earlier time than the listing’s, within ten minutes', async () => {
    const seen = land('seen', minutesAgo(3));
    ran(minutesAgo(2), [seen]);
    land('slow-upload', minutesAgo(11));
    expect((await look()).kind).toBe('landed');
  });

  it('not what the listing saw so long ago that it doesn’t name it', async () => {
    land('old', minutesAgo(30));
    ran(minutesAgo(2));
    expect((await look()).kind).toBe('nothing');
  });

  it('what was delivered late under an older hour, within the look-back', async () => {
    ran(minutesAgo(30));
    land('late', minutesAgo(1), minutesAgo(70));
    expect((await look()).kind).toBe('landed');
  });

  it('not transaction metadata alone', async () => {
    ran(minutesAgo(30));
    write(`${landingPrefix('debezium.transaction', now)}t.gz`, 'x');
    expect((await look()).kind).toBe('nothing');
  });

  it('what the last run left for the next', async () => {
    ran(minutesAgo(1), [], 17);
    expect(await look()).toEqual({ kind: 'landed', reason: '17 files were left for the next run' });
  });

  it('work that is unfinished: a failed layer, or one that the last run never came to', async () => {
    ran(minutesAgo(1));
    const failed = soundReport('run-1', 'silver', { status: 'failed', error: 'out of memory' });
    write('reports/latest/silver.json', JSON.stringify(failed));
    expect(await look()).toEqual({ kind: 'unfinished', reason: 'the last silver job failed: out of memory' });
    write('reports/latest/silver.json', JSON.stringify(soundReport('run-0', 'silver')));
    expect(await look()).toEqual({ kind: 'unfinished', reason: 'run run-1 ended before silver' });
  });

  it('not a batch that brought the later layers nothing', async () => {
    ran(minutesAgo(1));
    write('reports/latest/gold.json', JSON.stringify(soundReport('run-1', 'gold', { batch: null })));
    expect((await look()).kind).toBe('nothing');
  });
});
