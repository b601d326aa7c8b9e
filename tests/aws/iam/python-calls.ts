import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Call } from './calls.ts';

const CLIENT = /\bboto3\.(?:client|resource)\(\s*["']([\w-]+)["']/g;
const METHOD = /\bclient\.(?:get_paginator\(\s*["'](\w+)["']|([a-z]\w*)\(|exceptions\.(NoSuchKey)\b)/g;

/**
 * Every AWS call in the Python files under a folder: methods of what is called `client`, its paginators, and telling a
 * missing object. @throws Error for a client of another service than S3, whose calls would be taken for S3's
 */
export function pythonCallsOf(root: string, folder: string): Call[] {
  return globSync(join(folder, '**', '*.py'), { cwd: root })
    .sort()
    .flatMap((file) => callsIn(file, readFileSync(join(root, file), 'utf8')));
}

function callsIn(file: string, text: string): Call[] {
  const other = [...text.matchAll(CLIENT)].find(([, service]) => service !== 's3');
  if (other)
    throw new Error(`${file} makes a client of ${other[1]}: teach tests/aws/iam/python-calls.ts its calls`);
  return text.split('\n').flatMap((line, index) =>
    [...line.matchAll(METHOD)].map(([, paginated, method, missing]) => ({
      operation: `s3:${missing ?? pascal(paginated ?? method ?? '')}`,
      where: `${file}:${index + 1}`,
    })),
  );
}

/** `list_objects_v2` -> `ListObjectsV2`. */
function pascal(name: string): string {
  return name.replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
