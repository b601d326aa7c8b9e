import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { callsOf } from './calls.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cdc-calls-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(file: string, ...lines: string[]): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), lines.join('\n'));
}

function operations(handler = 'functions/a/handler.ts'): string[] {
  return callsOf(root, handler).map(({ operation }) => operation);
}

describe('the calls of a function', () => {
  it('are found behind its imports, with file and line', () => {
    write('functions/a/handler.ts', "import { read } from '../shared/read.ts';", 'read();');
    write(
      'functions/shared/read.ts',
      "import { GetObjectCommand } from '@aws-sdk/client-s3';",
      'export const read = () => new GetObjectCommand({});',
    );
    expect(callsOf(root, 'functions/a/handler.ts')).toEqual([
      { operation: 's3:GetObject', where: 'functions/shared/read.ts:2' },
    ]);
  });

  it('are found under another name, behind a re-export, and page by page', () => {
    write('functions/a/handler.ts', "export { list } from './list.ts';");
    write(
      'functions/a/list.ts',
      "import { paginateListPipes, StopPipeCommand as Stop } from '@aws-sdk/client-pipes';",
      'export const list = () => [new Stop({}), paginateListPipes({}, {})];',
    );
    expect(operations().sort()).toEqual(['pipes:ListPipes', 'pipes:StopPipe']);
  });

  it('are named as IAM names the service', () => {
    write(
      'functions/a/handler.ts',
      "import { DescribeExecutionCommand } from '@aws-sdk/client-sfn';",
      "import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';",
      'export const both = [new DescribeExecutionCommand({}), new GetSecretValueCommand({})];',
    );
    expect(operations().sort()).toEqual(['secretsmanager:GetSecretValue', 'states:DescribeExecution']);
  });

  it('are not those of types, of clients, of comments, nor of files that are imported for their types', () => {
    write(
      'functions/a/handler.ts',
      "import type { DeleteObjectCommand } from '@aws-sdk/client-s3';",
      "import { S3Client, type PutObjectCommand } from '@aws-sdk/client-s3';",
      "import type { Other } from './other.ts';",
      '// new GetObjectCommand({})',
      'export const client = new S3Client({});',
    );
    write(
      'functions/a/other.ts',
      "import { ListBucketsCommand } from '@aws-sdk/client-s3';",
      'export type Other = ListBucketsCommand;',
      'export const buckets = new ListBucketsCommand({});',
    );
    expect(operations()).toEqual([]);
  });

  it('include telling a missing object from a refused one, which takes a permission of its own', () => {
    write(
      'functions/a/handler.ts',
      "import { NoSuchKey } from '@aws-sdk/client-s3';",
      'export const isMissing = (error: unknown) => error instanceof NoSuchKey;',
    );
    expect(operations()).toEqual(['s3:NoSuchKey']);
  });

  it('can’t be seen when a client is imported as a whole', () => {
    write('functions/a/handler.ts', "import * as s3 from '@aws-sdk/client-s3';", 's3;');
    expect(() => operations()).toThrow(/imports all of s3/);
  });
});
