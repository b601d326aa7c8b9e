import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Alone, startAlone } from './endpoint-only.ts';

const Bucket = 'lake-dev';

let alone: Alone;
let s3: S3Client;

beforeAll(async () => {
  alone = await startAlone();
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  s3 = new S3Client({ endpoint: alone.endpoint.url, region: 'us-east-1', credentials, maxAttempts: 1 });
  await s3.send(new CreateBucketCommand({ Bucket }));
});

afterAll(() => alone?.close());

const put = (
  Key: string,
  Body: PutObjectCommandInput['Body'] = Key,
  more: Partial<PutObjectCommandInput> = {},
) => s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }));

const get = async (Key: string, Range?: string) => {
  const { Body, ContentRange } = await s3.send(
    new GetObjectCommand({ Bucket, Key, ...(Range === undefined ? {} : { Range }) }),
  );
  return { text: (await Body?.transformToString()) ?? '', range: ContentRange };
};

async function keysOf(asked: { Prefix?: string; Delimiter?: string; StartAfter?: string; MaxKeys?: number }) {
  const keys: string[] = [];
  let ContinuationToken: string | undefined;
  do {
    const page = await s3.send(
      new ListObjectsV2Command({ Bucket, ...asked, ...(ContinuationToken ? { ContinuationToken } : {}) }),
    );
    const found = [
      ...(page.Contents ?? []).map(({ Key }) => Key),
      ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix),
    ];
    expect(page.KeyCount).toBe(found.length);
    keys.push(...found.map((key) => key ?? ''));
    ContinuationToken = page.NextContinuationToken;
    expect(page.IsTruncated).toBe(ContinuationToken !== undefined);
  } while (ContinuationToken);
  return keys;
}

describe('S3 on a folder', () => {
  it('keeps an object as the plain file that Spark reads', async () => {
    await put('landing/public.users/2026/01/31/23/a.gz', 'bytes');
    const file = join(alone.lakeFolder, Bucket, 'landing/public.users/2026/01/31/23/a.gz');
    expect(readFileSync(file, 'utf8')).toBe('bytes');
  });

  it('shows a plain file that another process wrote, and hides Hadoop’s checksums', async () => {
    const folder = join(alone.lakeFolder, Bucket, 'warehouse/t/data');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'part-0.parquet'), 'rows');
    writeFileSync(join(folder, '.part-0.parquet.crc'), 'sum');
    expect(await keysOf({ Prefix: 'warehouse/' })).toEqual(['warehouse/t/data/part-0.parquet']);
    expect((await get('warehouse/t/data/part-0.parquet')).text).toBe('rows');
  });

  it.each(['CRC32', 'SHA1', 'SHA256'] as const)('takes an upload with a %s', async (ChecksumAlgorithm) => {
    await put('sums/a', 'text', { ChecksumAlgorithm });
    expect((await get('sums/a')).text).toBe('text');
  });

  it('takes a stream of unknown checksum as aws-chunked', async () => {
    const bytes = Buffer.alloc(300_000, 'stream ');
    const { Readable } = await import('node:stream');
    await put('stream', Readable.from([bytes.subarray(0, 100_000), bytes.subarray(100_000)]), {
      ContentLength: bytes.length,
      ChecksumAlgorithm: 'CRC32',
    });
    expect((await get('stream')).text).toBe(bytes.toString());
  });

  it('refuses bytes that are not those of their checksum, and keeps the object as it was', async () => {
    await put('kept', 'before');
    const wrong = put('kept', 'after', { ContentMD5: Buffer.alloc(16).toString('base64') });
    await expect(wrong).rejects.toMatchObject({ name: 'BadDigest' });
    expect((await get('kept')).text).toBe('before');
    expect(readdirSync(join(alone.lakeFolder, '.uploads'))).toEqual([]);
  });

  it('replaces an object at once: no reader sees a part of it', async () => {
    const versions = ['a', 'b'].map((letter) => letter.repeat(2_000_000));
    await put('replaced', versions[0]);
    const reads = Array.from({ length: 12 }, async () => (await get('replaced')).text);
    const writes = Array.from({ length: 6 }, (_, i) => put('replaced', versions[i % 2]));
    for (const text of await Promise.all(reads)) expect(versions).toContain(text);
    await Promise.all(writes);
  });

  it('creates an object only once under If-None-Match: *', async () => {
    const all = await Promise.allSettled([1, 2, 3].map((n) => put('once', String(n), { IfNoneMatch: '*' })));
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const refused = all.find(({ status }) => status === 'rejected') as PromiseRejectedResult;
    expect(refused.reason).toMatchObject({ name: 'PreconditionFailed' });
  });

  it('gives ranges', async () => {
    await put('digits', '0123456789');
    expect(await get('digits', 'bytes=2-4')).toEqual({ text: '234', range: 'bytes 2-4/10' });
    expect(await get('digits', 'bytes=7-')).toEqual({ text: '789', range: 'bytes 7-9/10' });
    expect(await get('digits', 'bytes=-2')).toEqual({ text: '89', range: 'bytes 8-9/10' });
    expect(await get('digits', 'bytes=8-99')).toEqual({ text: '89', range: 'bytes 8-9/10' });
    await expect(get('digits', 'bytes=10-')).rejects.toMatchObject({ name: 'InvalidRange' });
  });

  it('heads an object with its size and a time of whole seconds', async () => {
    await put('headed', '12345');
    const { ContentLength, LastModified, ETag } = await s3.send(
      new HeadObjectCommand({ Bucket, Key: 'headed' }),
    );
    expect(ContentLength).toBe(5);
    expect(LastModified?.getMilliseconds()).toBe(0);
    expect(ETag).toMatch(/^"[0-9a-f-]+"$/);
  });

  it('deletes, one or many, whether there or not, and leaves no empty folders behind', async () => {
    for (const key of ['gone/a/1', 'gone/a/2', 'gone/b/<&>"\'']) await put(key);
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'gone/a/1' }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'gone/never/was' }));
    const Objects = ['gone/a/2', 'gone/b/<&>"\'', 'gone/nothing'].map((Key) => ({ Key }));
    const { Deleted } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(Deleted?.map(({ Key }) => Key)).toEqual(Objects.map(({ Key }) => Key));
    expect(readdirSync(join(alone.lakeFolder, Bucket))).not.toContain('gone');
  });

  it('says what is missing', async () => {
    await expect(get('nothing/here')).rejects.toMatchObject({ name: 'NoSuchKey' });
    await expect(s3.send(new HeadObjectCommand({ Bucket, Key: 'x/y' }))).rejects.toMatchObject({
      name: 'NotFound',
    });
    await expect(s3.send(new HeadBucketCommand({ Bucket: 'no-bucket' }))).rejects.toMatchObject({
      name: 'NotFound',
    });
    const elsewhere = new PutObjectCommand({ Bucket: 'no-bucket', Key: 'a', Body: 'a' });
    await expect(s3.send(elsewhere)).rejects.toMatchObject({ name: 'NoSuchBucket' });
  });

  it('refuses what it would lose or can’t do', async () => {
    await expect(put('tagged', 'x', { Tagging: 'owner=me' })).rejects.toMatchObject({
      name: 'NotImplemented',
    });
    const copy = new CopyObjectCommand({ Bucket, Key: 'b', CopySource: `${Bucket}/a` });
    await expect(s3.send(copy)).rejects.toMatchObject({ name: 'NotImplemented' });
    await put('file', 'x');
    await expect(put('file/below', 'x')).rejects.toMatchObject({ name: 'ObjectIsAFolder' });
    await expect(put('x'.repeat(300), 'x')).rejects.toMatchObject({ name: 'KeyTooLongError' });
  });

  it.each(['../../etc/passwd', '..', 'a/../../b', '/etc/passwd', 'a//b', './a', '.', 'a/'])(
    'keeps the key %s inside its bucket, and gives it back as it was',
    async (key) => {
      await put(key, `at ${key}`);
      expect((await get(key)).text).toBe(`at ${key}`);
      expect(await keysOf({ Prefix: key })).toContain(key);
      expect(readdirSync(alone.lakeFolder).sort()).toEqual(['.uploads', Bucket]);
      await s3.send(new DeleteObjectCommand({ Bucket, Key: key }));
    },
  );

  it('keeps what a client says of an object, until another is put in its place', async () => {
    const said = async () => (await s3.send(new HeadObjectCommand({ Bucket, Key: 'said' }))).Metadata;
    await put('said', 'x', { Metadata: { filesha256: 'abc=' } });
    expect(await said()).toEqual({ filesha256: 'abc=' });
    await put('said', 'y');
    expect(await said()).toEqual({});
    await put('said', 'z', { Metadata: { filesha256: 'def=' } });
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'said' }));
    await put('said', 'x');
    expect(await said()).toEqual({});
  });

  it('shows each object’s one version page by page, and deletes by it', async () => {
    for (const key of ['versions/a', 'versions/b', 'versions/c & d']) await put(key);
    const asked = { Bucket, Prefix: 'versions/', MaxKeys: 2 };
    const first = await s3.send(new ListObjectVersionsCommand(asked));
    expect(first).toMatchObject({ IsTruncated: true, NextKeyMarker: 'versions/b' });
    const second = await s3.send(new ListObjectVersionsCommand({ ...asked, KeyMarker: first.NextKeyMarker }));
    const Objects = [...(first.Versions ?? []), ...(second.Versions ?? [])].map(({ Key, VersionId }) => ({
      Key,
      VersionId,
    }));
    expect(Objects).toEqual(
      ['versions/a', 'versions/b', 'versions/c & d'].map((Key) => ({ Key, VersionId: 'null' })),
    );
    await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(await keysOf({ Prefix: 'versions/' })).toEqual([]);
  });

  it('deletes a bucket only when it is empty', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'short-lived' }));
    await s3.send(new PutObjectCommand({ Bucket: 'short-lived', Key: 'a/b', Body: 'x' }));
    const command = new DeleteBucketCommand({ Bucket: 'short-lived' });
    await expect(s3.send(command)).rejects.toMatchObject({ name: 'BucketNotEmpty' });
    await s3.send(new DeleteObjectCommand({ Bucket: 'short-lived', Key: 'a/b' }));
    await s3.send(command);
    await expect(s3.send(new HeadBucketCommand({ Bucket: 'short-lived' }))).rejects.toMatchObject({
      name: 'NotFound',
    });
  });

  it('orders keys by their bytes, not as JavaScript compares text', async () => {
    for (const key of ['order/\uffee', 'order/🐘', 'order/~', 'order/a/b', 'order/a!']) await put(key);
    expect(await keysOf({ Prefix: 'order/' })).toEqual([
      'order/a!',
      'order/a/b',
      'order/~',
      'order/\uffee',
      'order/🐘',
    ]);
  });

  it('lists any keys as S3 does: by prefix, delimiter and start, in the order of bytes, page by page', async () => {
    const part = fc.constantFrom(
      'a',
      'b',
      'aa',
      'a-b',
      'a!',
      'ä',
      '🐘',
      '\uffee',
      '~',
      '~7e',
      ' ',
      'a+b',
      '%',
      '&<',
      '..',
      '',
    );
    const key = fc
      .array(part, { minLength: 1, maxLength: 4 })
      .map((parts) => `all/${parts.join('/')}`)
      .filter((text) => !text.endsWith('/') || text === 'all/');
    const asked = fc.record({
      prefix: fc.constantFrom('all/', 'all/a', 'all/a/', 'all/~', 'all//', 'none/'),
      delimiter: fc.constantFrom('', '/', 'a'),
      after: fc.oneof(fc.constant(''), key),
      maxKeys: fc.constantFrom(1, 2, 1000),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(key, { maxLength: 10 }),
        asked,
        async (all, { prefix, delimiter, after, maxKeys }) => {
          const keys = all.filter((one) => !all.some((other) => other.startsWith(`${one}/`)));
          for (const one of keys) await put(one, 'x');
          const found = await keysOf({
            Prefix: prefix,
            Delimiter: delimiter,
            StartAfter: after,
            MaxKeys: maxKeys,
          });
          const Objects = keys.map((Key) => ({ Key }));
          if (keys.length > 0) await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
          // A page has its objects first and then its common prefixes; together they are in order.
          expect(delimiter === '' ? found : found.sort(byBytes)).toEqual(
            listedBySpecification(keys, prefix, delimiter, after),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it('serves boto3 alike', async () => {
    const python = fileURLToPath(new URL('../../../../.venv/bin/python', import.meta.url));
    const script = fileURLToPath(new URL('./s3_with_boto3.py', import.meta.url));
    // Without the profile that this machine's user may have chosen.
    const env = { PATH: process.env['PATH'] };
    const { stdout } = await promisify(execFile)(python, [script, alone.endpoint.url], { env });
    expect(stdout.trim()).toBe('as S3 does');
  });
});

/** ListObjectsV2 by its description: filter, then group by delimiter, then leave out what is not behind the start. */
function listedBySpecification(keys: string[], prefix: string, delimiter: string, after: string): string[] {
  const rolled = keys
    .filter((key) => key.startsWith(prefix) && byBytes(key, after) > 0)
    .map((key) => {
      const at = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
      return at < 0 ? key : key.slice(0, at + delimiter.length);
    });
  return [...new Set(rolled)].filter((key) => byBytes(key, after) > 0).sort(byBytes);
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
