import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { assetFiles, contentHash } from '../../../resources/assets/contents.ts';
import { uploadAssets } from '../../../resources/assets/upload.ts';
import { zipOf } from '../../../resources/assets/zip.ts';

describe('what Glue runs', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'assets-'));
    write('glue/job.py', 'import lakehouse');
    write('glue/lakehouse/__init__.py', '');
    write('glue/lakehouse/silver/merge.py', 'x = 1');
    write('glue/lakehouse/__pycache__/merge.cpython-313.pyc', 'binary');
    write('sql/gold/m/load.sql', 'SELECT 1');
    write('sql/gold/m/model.yml', 'grain: [id]\nyes: on\n');
    write('sql/.sqlfluff', '[sqlfluff]');
    write('tables.yml', 'project: p\nepoch: 1\n');
  });
  afterEach(() => rmSync(root, { recursive: true }));

  function write(path: string, text: string): void {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }

  it('is the script, the package, SQL and documents, these in JSON too', () => {
    const files = new Map(assetFiles(root).map(({ name, body }) => [name, body.toString()]));
    expect([...files.keys()]).toEqual([
      'job.py',
      'lakehouse.zip',
      'tables.yml',
      'sql/gold/m/load.sql',
      'sql/gold/m/model.yml',
      'tables.json',
      'sql/gold/m/model.json',
    ]);
    expect(JSON.parse(files.get('tables.json') as string)).toEqual({ project: 'p', epoch: 1 });
    // YAML 1.2: words, not booleans.
    expect(JSON.parse(files.get('sql/gold/m/model.json') as string)).toEqual({ grain: ['id'], yes: 'on' });
  });

  it('has a name that changes with every part of its content and with nothing else', () => {
    const name = () => contentHash(assetFiles(root));
    const first = name();
    expect(first).toMatch(/^[0-9a-f]{16}$/);
    write('glue/lakehouse/__pycache__/merge.cpython-313.pyc', 'other');
    write('sql/.sqlfluff', 'other');
    expect(name()).toBe(first);
    for (const path of ['glue/job.py', 'glue/lakehouse/silver/merge.py', 'sql/gold/m/load.sql']) {
      const before = name();
      write(path, `${path} changed`);
      expect(name()).not.toBe(before);
    }
  });

  it('has another name when a file has', () => {
    const file = { name: 'sql/a.sql', body: Buffer.from('SELECT 1') };
    expect(contentHash([file])).not.toBe(contentHash([{ ...file, name: 'sql/b.sql' }]));
  });
});

describe('the package', () => {
  it('is a zip of its files, the same bytes each time', () => {
    const files = [
      { name: 'lakehouse/__init__.py', body: Buffer.from('') },
      { name: 'lakehouse/größe.py', body: Buffer.from('x = "ü"\n') },
    ];
    const zip = zipOf(files);
    expect(zipOf(files)).toEqual(zip);
    expect(entriesOf(zip)).toEqual(files);
  });
});

describe('the upload', () => {
  const s3 = mockClient(S3Client);
  const files = [
    { name: 'job.py', body: Buffer.from('print(1)') },
    { name: 'sql/x.sql', body: Buffer.from('SELECT 1') },
    { name: 'tables.yml', body: Buffer.from('project: p') },
  ];
  const upload = {
    s3: s3 as unknown as S3Client,
    bucket: 'deployments',
    prefix: 'serverless/p/dev/assets/abc',
    files,
  };
  beforeEach(() => {
    s3.reset();
  });

  it('puts what is not there and leaves what is', async () => {
    s3.on(ListObjectsV2Command, { Bucket: 'deployments', Prefix: 'serverless/p/dev/assets/abc/' })
      .resolvesOnce({
        Contents: [{ Key: 'serverless/p/dev/assets/abc/job.py', Size: 8 }],
        IsTruncated: true,
        NextContinuationToken: 'next',
      })
      // Half of it, from an upload that broke.
      .resolves({ Contents: [{ Key: 'serverless/p/dev/assets/abc/sql/x.sql', Size: 3 }] });
    s3.on(PutObjectCommand).resolves({});
    expect(await uploadAssets(upload)).toEqual({ put: 2, present: 1 });
    expect(s3.commandCalls(PutObjectCommand).map(({ args }) => args[0].input.Key)).toEqual([
      'serverless/p/dev/assets/abc/sql/x.sql',
      'serverless/p/dev/assets/abc/tables.yml',
    ]);
  });

  it('that breaks says what it was about and keeps the cause', async () => {
    const cause = new Error('AccessDenied');
    s3.on(ListObjectsV2Command).resolves({});
    s3.on(PutObjectCommand).rejects(cause);
    await expect(uploadAssets(upload)).rejects.toMatchObject({
      message: expect.stringMatching(/could not be uploaded to s3:\/\/deployments\/.*deploy again/),
      cause,
    });
  });
});

/** The files of a zip, by its directory at the end. */
function entriesOf(zip: Buffer): { name: string; body: Buffer }[] {
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  const count = zip.readUInt16LE(end + 10);
  let at = zip.readUInt32LE(end + 16);
  return Array.from({ length: count }, () => {
    const method = zip.readUInt16LE(at + 10);
    const nameLength = zip.readUInt16LE(at + 28);
    const name = zip.subarray(at + 46, at + 46 + nameLength).toString('utf8');
    const local = zip.readUInt32LE(at + 42);
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const stored = zip.subarray(start, start + zip.readUInt32LE(at + 20));
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
    return { name, body: method === 0 ? stored : inflateRawSync(stored) };
  });
}
