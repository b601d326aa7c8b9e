import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { isGone } from './listing.ts';

const PREFIX = 'x-amz-meta-';

/**
 * What clients say of their objects (`x-amz-meta-<name>` headers), a file for each object that has some, beside the
 * buckets. Files that something else writes into a bucket's folder have none.
 */
export class ObjectMetadata {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Keeps what a PUT brings, in place of what the object had. */
  async keep(bucket: string, key: string, headers: IncomingHttpHeaders): Promise<void> {
    const own = Object.entries(headers).filter(([name]) => name.startsWith(PREFIX));
    if (own.length === 0) return this.forget(bucket, key);
    await mkdir(join(this.#folder, bucket), { recursive: true });
    await writeFile(this.#file(bucket, key), JSON.stringify(Object.fromEntries(own)));
  }

  /** The headers that a GET or HEAD answers with. */
  async of(bucket: string, key: string): Promise<Record<string, string>> {
    try {
      return JSON.parse(await readFile(this.#file(bucket, key), 'utf8')) as Record<string, string>;
    } catch (error) {
      if (isGone(error)) return {};
      throw error;
    }
  }

  async forget(bucket: string, key: string): Promise<void> {
    await rm(this.#file(bucket, key), { force: true });
  }

  async forgetBucket(bucket: string): Promise<void> {
    await rm(join(this.#folder, bucket), { recursive: true, force: true });
  }

  #file(bucket: string, key: string): string {
    return join(this.#folder, bucket, `${createHash('sha256').update(key).digest('hex')}.json`);
  }
}
