import { randomUUID } from 'node:crypto';
import { createWriteStream, type Stats } from 'node:fs';
import { link, mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { readBody } from '../http.ts';
import { errorXml, S3Error, XML_HEAD, xmlText } from './errors.ts';
import { fileOf, isBucketName, KeyError } from './keys.ts';
import { isGone, type Listing, type ListRequest, listObjects } from './listing.ts';
import { ObjectMetadata } from './metadata.ts';
import { uploadOf } from './upload.ts';

/** What clients say of their objects, one folder a bucket. */
const METADATA = '.metadata';

/** Uploads in progress lie here, on the same file system, until a rename makes each an object at once. */
const UPLOADS = '.uploads';

/** Most keys that a page or a DeleteObjects request holds. */
const MAX_KEYS = 1000;
const DELETE_BODY_BYTES = 2 * 1024 * 1024;

/** A request taken apart: path style, `/bucket/key`. */
type Call = { method: string; bucket: string; key: string; query: URLSearchParams };

/**
 * S3 on a folder: `<root>/<bucket>/<key>`, readable and writable as plain files too. Answers what the platform uses:
 * buckets, GetObject (ranges), PutObject, HeadObject, DeleteObject(s), ListObjectsV2 and ListObjectVersions (each object
 * has the one version `null`); everything else is NotImplemented.
 */
export class FolderS3 {
  readonly #root: string;
  readonly #metadata: ObjectMetadata;

  constructor(root: string) {
    this.#root = root;
    this.#metadata = new ObjectMetadata(join(root, METADATA));
  }

  /** Answers one request; never rejects. */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#answer(callOf(request), request, response);
    } catch (error) {
      sendError(response, error, request);
    }
  }

  async #answer(call: Call, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (call.bucket === '') return this.#buckets(call, response);
    if (call.key === '') return this.#bucket(call, request, response);
    refuseSubresources(call, OBJECT_PARAMETERS);
    await this.#existing(call.bucket);
    if (call.method === 'PUT') return this.#put(call, request, response);
    if (call.method === 'DELETE') return this.#delete(call, response);
    if (call.method === 'GET' || call.method === 'HEAD') return this.#get(call, request, response);
    throw new S3Error('MethodNotAllowed', `${call.method} on an object is not an S3 operation of the twin`);
  }

  async #buckets(call: Call, response: ServerResponse): Promise<void> {
    if (call.method !== 'GET') throw notImplemented(call);
    const found = await readdir(this.#root).catch((error: unknown) => {
      if (isGone(error)) return [];
      throw error;
    });
    const names = found.filter(isBucketName).sort();
    const buckets = names.map((name) => `<Bucket><Name>${name}</Name></Bucket>`).join('');
    sendXml(response, 200, `<ListAllMyBucketsResult><Buckets>${buckets}</Buckets></ListAllMyBucketsResult>`);
  }

  async #bucket(call: Call, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, bucket, query } = call;
    if (!isBucketName(bucket)) throw new S3Error('InvalidBucketName', `Not a bucket name: ${bucket}`);
    if (method === 'PUT' && !hasSubresource(query)) {
      await this.#createBucket(bucket, request);
      response.writeHead(200, { location: `/${bucket}`, 'content-length': 0 }).end();
      return;
    }
    const folder = await this.#existing(bucket);
    if (method === 'HEAD') response.writeHead(200, { 'content-length': 0 }).end();
    else if (method === 'DELETE' && !hasSubresource(query))
      await this.#deleteBucket(bucket, folder, response);
    else if (method === 'POST' && query.has('delete')) await this.#deleteMany(call, request, response);
    else if (method === 'GET' && query.get('list-type') === '2') await list(folder, call, response);
    else if (method === 'GET' && query.has('versions')) await listVersions(folder, call, response);
    else if (method === 'GET' && query.has('location')) sendXml(response, 200, '<LocationConstraint/>');
    else throw notImplemented(call);
  }

  async #createBucket(bucket: string, request: IncomingMessage): Promise<void> {
    await readBody(request, DELETE_BODY_BYTES);
    await mkdir(this.#root, { recursive: true });
    try {
      await mkdir(join(this.#root, bucket));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      throw new S3Error('BucketAlreadyOwnedByYou', `Bucket ${bucket} exists`);
    }
  }

  async #deleteBucket(bucket: string, folder: string, response: ServerResponse): Promise<void> {
    const first = { prefix: '', delimiter: '', after: '', maxKeys: 1 };
    if ((await listObjects(folder, first)).objects.length > 0) {
      throw new S3Error('BucketNotEmpty', `The bucket you tried to delete is not empty: ${bucket}`);
    }
    await rm(folder, { recursive: true });
    await this.#metadata.forgetBucket(bucket);
    response.writeHead(204).end();
  }

  async #existing(bucket: string): Promise<string> {
    const folder = join(this.#root, bucket);
    const found = isBucketName(bucket) && (await stat(folder).catch(() => undefined))?.isDirectory();
    if (!found) throw new S3Error('NoSuchBucket', `The specified bucket does not exist: ${bucket}`);
    return folder;
  }

  /** Written beside, checked, then made the object by one rename: a reader sees the old object or the new one. */
  async #put(call: Call, request: IncomingMessage, response: ServerResponse): Promise<void> {
    refuseUnkept(request);
    const file = this.#file(call);
    const uploads = join(this.#root, UPLOADS);
    await mkdir(uploads, { recursive: true });
    const upload = join(uploads, randomUUID());
    try {
      const { bytes, verify } = uploadOf(request);
      await pipeline(bytes, createWriteStream(upload));
      verify();
      await publish(upload, file, request.headers['if-none-match'] === '*');
      await this.#metadata.keep(call.bucket, call.key, request.headers);
      response.writeHead(200, { etag: etagOf(await stat(file)), 'content-length': 0 }).end();
    } finally {
      await rm(upload, { force: true });
    }
  }

  async #get(call: Call, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const handle = await open(this.#file(call)).catch((error: unknown) => {
      throw isGone(error) ? noSuchKey(call.key) : error;
    });
    try {
      const found = await handle.stat();
      if (!found.isFile()) throw noSuchKey(call.key);
      const { status, from, to } = rangeOf(request.headers.range, found.size);
      response.writeHead(status, {
        'accept-ranges': 'bytes',
        'content-length': to - from,
        'content-type': 'application/octet-stream',
        etag: etagOf(found),
        'last-modified': found.mtime.toUTCString(),
        ...(await this.#metadata.of(call.bucket, call.key)),
        ...(status === 206 ? { 'content-range': `bytes ${from}-${to - 1}/${found.size}` } : {}),
      });
      if (call.method === 'HEAD' || to === from) response.end();
      else await pipeline(handle.createReadStream({ start: from, end: to - 1, autoClose: false }), response);
    } finally {
      await handle.close();
    }
  }

  async #delete(call: Call, response: ServerResponse): Promise<void> {
    await this.#remove(call);
    response.writeHead(204).end();
  }

  async #deleteMany(call: Call, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await readBody(request, DELETE_BODY_BYTES)).toString('utf8');
    const keys = [...body.matchAll(/<Key>([\s\S]*?)<\/Key>/g)].map(([, key]) => xmlUnescape(key ?? ''));
    if (keys.length === 0 || keys.length > MAX_KEYS) {
      throw new S3Error('MalformedXML', `DeleteObjects takes 1 to ${MAX_KEYS} keys, this has ${keys.length}`);
    }
    for (const key of keys) await this.#remove({ ...call, key });
    const quiet = /<Quiet>\s*true\s*<\/Quiet>/.test(body);
    const deleted = quiet ? [] : keys.map((key) => `<Deleted><Key>${xmlText(key)}</Key></Deleted>`);
    sendXml(response, 200, `<DeleteResult>${deleted.join('')}</DeleteResult>`);
  }

  /** Removes an object, and the folders that it leaves empty: S3 has none. Nothing there is fine. */
  async #remove(call: Call): Promise<void> {
    const file = this.#file(call);
    try {
      await rm(file);
      await this.#metadata.forget(call.bucket, call.key);
    } catch (error) {
      if (isGone(error) || (error as NodeJS.ErrnoException).code === 'ERR_FS_EISDIR') return;
      throw error;
    }
    const bucketFolder = join(this.#root, call.bucket);
    for (let folder = dirname(file); folder !== bucketFolder; folder = dirname(folder)) {
      if (
        !(await rmdir(folder).then(
          () => true,
          () => false,
        ))
      )
        return;
    }
  }

  #file({ bucket, key }: Call): string {
    return fileOf(join(this.#root, bucket), key);
  }
}

function callOf(request: IncomingMessage): Call {
  const [path = '', query = ''] = (request.url ?? '/').split(/\?(.*)/s);
  const [, bucket = '', key = ''] = /^\/([^/]*)(?:\/(.*))?$/s.exec(path) ?? [];
  try {
    return {
      method: request.method ?? 'GET',
      bucket: decodeURIComponent(bucket),
      key: decodeURIComponent(key),
      query: new URLSearchParams(query),
    };
  } catch {
    throw new S3Error('InvalidURI', `Couldn't parse the specified URI: ${path}`);
  }
}

/** Query parameters that don't change what is asked. */
const OBJECT_PARAMETERS = new Set(['x-id', 'partNumber', 'versionId']);

function hasSubresource(query: URLSearchParams): boolean {
  return [...query.keys()].some((name) => !OBJECT_PARAMETERS.has(name) && !name.startsWith('X-Amz-'));
}

function refuseSubresources(call: Call, known: ReadonlySet<string>): void {
  const other = [...call.query.keys()].find((name) => !known.has(name) && !name.startsWith('X-Amz-'));
  if (other !== undefined) throw notImplemented(call);
}

/** What a PUT may bring that would be lost without a word. */
function refuseUnkept({ headers }: IncomingMessage): void {
  const unkept = Object.keys(headers).find(
    (name) => name === 'x-amz-copy-source' || name === 'x-amz-tagging',
  );
  if (unkept !== undefined) {
    throw new S3Error(
      'NotImplemented',
      `The twin's S3 keeps an object's bytes only and can't take ${unkept}`,
    );
  }
}

function notImplemented({ method, bucket, key, query }: Call): S3Error {
  const asked = `${method} /${bucket}${key === '' ? '' : '/<key>'}?${[...query.keys()].join('&')}`;
  return new S3Error('NotImplemented', `The twin's S3 doesn't know this operation: ${asked}`);
}

function noSuchKey(key: string): S3Error {
  return new S3Error('NoSuchKey', `The specified key does not exist: ${key}`);
}

async function publish(upload: string, file: string, onlyIfNew: boolean): Promise<void> {
  try {
    await intoFolder(file, () => (onlyIfNew ? link(upload, file) : rename(upload, file)));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && onlyIfNew) {
      throw new S3Error('PreconditionFailed', 'If-None-Match: * was given and the object exists');
    }
    if (code === 'EEXIST' || code === 'ENOTDIR' || code === 'EISDIR' || code === 'ENOTEMPTY') {
      const message = "The twin keeps objects as files: a key can't also be the folder of another key";
      throw new S3Error('ObjectIsAFolder', message);
    }
    throw error;
  }
}

/** Runs `move` with the file's folder made; again when a delete has just removed that folder, being empty. */
async function intoFolder(file: string, move: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    await mkdir(dirname(file), { recursive: true });
    try {
      await move();
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || attempt === 5) throw error;
    }
  }
}

/** Size and time of change: enough to tell versions apart, and known for files that Spark wrote, too. */
function etagOf({ size, mtimeMs }: Stats): string {
  return `"${Math.round(mtimeMs * 1000).toString(16)}-${size.toString(16)}"`;
}

/** The bytes [from, to) that a Range header asks for; the whole object without one, or with one that isn't understood. */
export function rangeOf(
  header: string | undefined,
  size: number,
): { status: number; from: number; to: number } {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === '' && last === '') return { status: 200, from: 0, to: size };
  const from = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const to = first === '' || last === '' ? size : Math.min(size, Number(last) + 1);
  if (from >= size || to <= from) {
    throw new S3Error('InvalidRange', 'The requested range is not satisfiable');
  }
  return { status: 206, from, to };
}

async function list(folder: string, call: Call, response: ServerResponse): Promise<void> {
  const { query, bucket } = call;
  const asked = listRequestOf(query);
  const page = await listObjects(folder, asked);
  sendXml(response, 200, listXml(bucket, query, asked, page));
}

/** Every object once: a folder has no versions. */
async function listVersions(folder: string, call: Call, response: ServerResponse): Promise<void> {
  const { query, bucket } = call;
  const asked = { ...listRequestOf(query), after: query.get('key-marker') ?? '' };
  const page = await listObjects(folder, asked);
  const versions = page.objects.map(
    ({ key, size, modified }) =>
      `<Version><Key>${xmlText(key)}</Key><VersionId>null</VersionId><IsLatest>true</IsLatest>` +
      `<LastModified>${wholeSeconds(modified)}</LastModified><Size>${size}</Size></Version>`,
  );
  const next =
    page.truncatedAt === undefined ? '' : `<NextKeyMarker>${xmlText(page.truncatedAt)}</NextKeyMarker>`;
  sendXml(
    response,
    200,
    `<ListVersionsResult><Name>${bucket}</Name><Prefix>${xmlText(asked.prefix)}</Prefix>` +
      `<IsTruncated>${next !== ''}</IsTruncated>${next}${versions.join('')}</ListVersionsResult>`,
  );
}

function listRequestOf(query: URLSearchParams): ListRequest {
  const token = query.get('continuation-token');
  const asked = Number(query.get('max-keys') ?? MAX_KEYS);
  if (!Number.isInteger(asked) || asked < 0) throw new S3Error('InvalidArgument', 'max-keys is no count');
  return {
    prefix: query.get('prefix') ?? '',
    delimiter: query.get('delimiter') ?? '',
    after:
      token === null ? (query.get('start-after') ?? '') : Buffer.from(token, 'base64url').toString('utf8'),
    maxKeys: Math.min(asked, MAX_KEYS),
  };
}

function listXml(bucket: string, query: URLSearchParams, asked: ListRequest, page: Listing): string {
  const text = (value: string) =>
    xmlText(query.get('encoding-type') === 'url' ? encodeURIComponent(value) : value);
  const echoed = (name: string, tag: string) =>
    query.has(name) ? `<${tag}>${text(query.get(name) ?? '')}</${tag}>` : '';
  const next =
    page.truncatedAt === undefined
      ? ''
      : `<NextContinuationToken>${Buffer.from(page.truncatedAt).toString('base64url')}</NextContinuationToken>`;
  const objects = page.objects.map(
    ({ key, size, modified }) =>
      `<Contents><Key>${text(key)}</Key><LastModified>${wholeSeconds(modified)}</LastModified>` +
      `<Size>${size}</Size><StorageClass>STANDARD</StorageClass></Contents>`,
  );
  const prefixes = page.commonPrefixes.map(
    (prefix) => `<CommonPrefixes><Prefix>${text(prefix)}</Prefix></CommonPrefixes>`,
  );
  return (
    '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
    `<Name>${bucket}</Name><Prefix>${text(asked.prefix)}</Prefix><MaxKeys>${asked.maxKeys}</MaxKeys>` +
    `<KeyCount>${objects.length + prefixes.length}</KeyCount><IsTruncated>${next !== ''}</IsTruncated>` +
    echoed('delimiter', 'Delimiter') +
    echoed('start-after', 'StartAfter') +
    (query.has('continuation-token')
      ? `<ContinuationToken>${xmlText(query.get('continuation-token') ?? '')}</ContinuationToken>`
      : '') +
    (query.get('encoding-type') === 'url' ? '<EncodingType>url</EncodingType>' : '') +
    `${next}${objects.join('')}${prefixes.join('')}</ListBucketResult>`
  );
}

/** S3 knows the time of a change to the second. */
function wholeSeconds(at: Date): string {
  return `${at.toISOString().slice(0, 19)}.000Z`;
}

function xmlUnescape(text: string): string {
  const named: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
  return text.replace(/&(?:#x([0-9a-fA-F]+)|#(\d+)|(\w+));/g, (whole, hex, decimal, name) => {
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    return named[name] ?? whole;
  });
}

function sendXml(response: ServerResponse, status: number, xml: string): void {
  const body = Buffer.from(XML_HEAD + xml);
  response.writeHead(status, { 'content-type': 'application/xml', 'content-length': body.length }).end(body);
}

/** Says what went wrong as S3 does; after the head has gone out, only by closing the connection. */
function sendError(response: ServerResponse, error: unknown, request: IncomingMessage): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const known = error instanceof S3Error || error instanceof KeyError;
  const told = known
    ? error
    : new S3Error('InternalError', `The twin's S3 failed: ${(error as Error).message}`);
  const status = told instanceof S3Error ? told.status : 400;
  const body = request.method === 'HEAD' ? '' : errorXml(told, request.url ?? '');
  response.writeHead(status, {
    'content-type': 'application/xml',
    'content-length': Buffer.byteLength(body),
    // What is left of the request's body is not read.
    ...(request.complete ? {} : { connection: 'close' }),
  });
  response.end(body);
}
