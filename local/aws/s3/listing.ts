import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeSegment } from './keys.ts';

/** What ListObjectsV2 is asked. `after`: only keys (and common prefixes) behind it in the order of UTF-8 bytes. */
export type ListRequest = { prefix: string; delimiter: string; after: string; maxKeys: number };

export type ListedObject = { key: string; size: number; modified: Date };

/** One page, in order. `truncatedAt` is the last entry of a page that more follow. */
export type Listing = { objects: ListedObject[]; commonPrefixes: string[]; truncatedAt: string | undefined };

/** One file or folder on the way: `key` of an object, or what every key below a folder begins with. */
type Entry = { path: string; key: string; folder: boolean };

/** Lists a bucket's folder in key order. Folders that can hold nothing asked for are not read. */
export async function listObjects(bucketFolder: string, request: ListRequest): Promise<Listing> {
  const listing: Listing = { objects: [], commonPrefixes: [], truncatedAt: undefined };
  let last = '';
  for await (const found of entriesOf(bucketFolder, '', request)) {
    if (listing.objects.length + listing.commonPrefixes.length >= request.maxKeys) {
      listing.truncatedAt = last;
      return listing;
    }
    if (typeof found === 'string') listing.commonPrefixes.push(found);
    else listing.objects.push(found);
    last = typeof found === 'string' ? found : found.key;
  }
  return listing;
}

async function* entriesOf(
  folder: string,
  keyPrefix: string,
  request: ListRequest,
): AsyncGenerator<ListedObject | string> {
  let previous = '';
  for (const entry of await sortedEntries(folder, keyPrefix)) {
    if (!mayMatch(entry, request)) continue;
    const common = commonPrefixOf(entry.key, request);
    if (common !== undefined) {
      if (common === previous || compareKeys(common, request.after) <= 0) continue;
      if (entry.folder && !(await holdsObjects(entry.path))) continue;
      previous = common;
      yield common;
    } else if (entry.folder) {
      for await (const found of entriesOf(entry.path, entry.key, request)) {
        if (typeof found === 'string') {
          if (found === previous) continue;
          previous = found;
        }
        yield found;
      }
    } else {
      const object = await objectAt(entry);
      if (object) yield object;
    }
  }
}

/** Files and folders of a folder in the order of their keys; a folder that has just gone has none. */
async function sortedEntries(folder: string, keyPrefix: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  try {
    for await (const item of await opendir(folder)) {
      const name = decodeSegment(item.name);
      if (name === undefined) continue;
      const isFolder = item.isDirectory();
      if (isFolder || item.isFile()) {
        const key = keyPrefix + name + (isFolder ? '/' : '');
        entries.push({ path: join(folder, item.name), key, folder: isFolder });
      }
    }
  } catch (error) {
    if (!isGone(error)) throw error;
  }
  return entries.sort((a, b) => compareKeys(a.key, b.key));
}

/** Whether an entry, or anything below it, can be asked for. */
function mayMatch({ key, folder }: Entry, { prefix, after }: ListRequest): boolean {
  if (!folder) return key.startsWith(prefix) && compareKeys(key, after) > 0;
  const inPrefix = key.startsWith(prefix) || prefix.startsWith(key);
  return inPrefix && (after.startsWith(key) || compareKeys(key, after) > 0);
}

/** The part of a key up to the first delimiter behind the prefix. */
function commonPrefixOf(key: string, { prefix, delimiter }: ListRequest): string | undefined {
  if (delimiter === '' || !key.startsWith(prefix)) return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : key.slice(0, at + delimiter.length);
}

async function holdsObjects(folder: string): Promise<boolean> {
  for (const entry of await sortedEntries(folder, '')) {
    if (!entry.folder || (await holdsObjects(entry.path))) return true;
  }
  return false;
}

async function objectAt({ path, key }: Entry): Promise<ListedObject | undefined> {
  try {
    const { size, mtime } = await stat(path);
    return { key, size, modified: mtime };
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** S3 orders keys by their UTF-8 bytes, JavaScript strings by UTF-16 units: they differ beyond the BMP. */
export function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** A file or folder that another process has just removed. */
export function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
