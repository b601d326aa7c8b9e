import { resolve, sep } from 'node:path';

/**
 * Object keys as files of a bucket's folder. A key that a file system can hold is its own path, so that Spark reads
 * and writes the same objects as plain files. What a file system can't hold is written with `~`:
 *
 * | segment of a key | file name |
 * |---|---|
 * | empty (`a//b`, `/a`, `a/`) | `~` |
 * | `.` and `..` | `~2e` and `~2e~2e` |
 * | with `~` or NUL | `~7e`, `~00` in its place |
 * | `.x.crc`, the name of a checksum that Hadoop's local file system leaves beside a file | `~2ex.crc` |
 */
const ESCAPED = /[~\0]/g;
const HADOOP_CHECKSUM = /^\..*\.crc$/;

/** Longest key and, of most file systems, longest name; both in UTF-8 bytes. */
const MAX_KEY_BYTES = 1024;
const MAX_NAME_BYTES = 255;

/** A key that can't be stored; `code` is S3's word for it. */
export class KeyError extends Error {
  override name = 'KeyError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** `..` -> `~2e~2e`; a name that a file system can hold stays as it is. */
export function encodeSegment(segment: string): string {
  if (segment === '') return '~';
  const escaped = segment.replace(ESCAPED, hexOf);
  if (segment === '.' || segment === '..') return escaped.replaceAll('.', '~2e');
  return HADOOP_CHECKSUM.test(segment) ? `~2e${escaped.slice(1)}` : escaped;
}

/** The other way; undefined for a file that is no object (Hadoop's checksums). */
export function decodeSegment(name: string): string | undefined {
  if (name === '~') return '';
  if (HADOOP_CHECKSUM.test(name)) return undefined;
  return name.replace(/~([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function hexOf(character: string): string {
  return `~${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

/**
 * The file of a key under a bucket's folder. Throws KeyError for a key without characters, longer than 1,024 bytes, or
 * with a segment longer than a file name may be.
 */
export function fileOf(bucketFolder: string, key: string): string {
  if (key === '') throw new KeyError('InvalidRequest', 'The key is empty');
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) {
    throw new KeyError('KeyTooLongError', `Your key is too long: more than ${MAX_KEY_BYTES} bytes`);
  }
  const names = key.split('/').map(encodeSegment);
  const long = names.find((name) => Buffer.byteLength(name) > MAX_NAME_BYTES);
  if (long !== undefined) {
    throw new KeyError(
      'KeyTooLongError',
      `The twin keeps objects as files: a part between slashes takes at most ${MAX_NAME_BYTES} bytes`,
    );
  }
  const file = resolve(bucketFolder, names.join(sep));
  if (!file.startsWith(resolve(bucketFolder) + sep)) {
    throw new KeyError('InvalidRequest', `Key ${JSON.stringify(key)} leaves its bucket`);
  }
  return file;
}

/** A bucket's name by S3's rules, which keep it a plain folder name. */
export function isBucketName(name: string): boolean {
  return /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) && !name.includes('..');
}
