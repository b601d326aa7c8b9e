import { createHash, type Hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Transform, type TransformCallback } from 'node:stream';
import { crc32 } from 'node:zlib';
import { S3Error } from './errors.ts';

/**
 * Takes the payload out of `aws-chunked`: `<size in hex>[;chunk-signature=..]\r\n<bytes>\r\n ... 0\r\n<trailers>\r\n`
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html). Signatures are not checked, nor are
 * any by the twin; trailers are kept for the checksums in them.
 */
export class AwsChunkedDecoder extends Transform {
  readonly trailers: Record<string, string> = {};
  #pending: Buffer = Buffer.alloc(0);
  #left = 0;
  #state: 'size' | 'bytes' | 'end of chunk' | 'trailers' | 'done' = 'size';

  override _transform(bytes: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    try {
      while (this.#step());
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    const complete = this.#state === 'done' || this.#state === 'trailers';
    done(complete ? null : new S3Error('IncompleteBody', 'The aws-chunked body ended inside a chunk'));
  }

  /** Takes one part of what is pending; false when more bytes are needed. */
  #step(): boolean {
    if (this.#state === 'done') return false;
    if (this.#state === 'bytes') return this.#takeBytes();
    const line = this.#takeLine();
    if (line === undefined) return false;
    if (this.#state === 'size') this.#startChunk(line);
    else if (this.#state === 'end of chunk') this.#state = 'size';
    else this.#takeTrailer(line);
    return true;
  }

  #takeBytes(): boolean {
    if (this.#pending.length === 0) return false;
    const taken = this.#pending.subarray(0, this.#left);
    this.#pending = this.#pending.subarray(taken.length);
    this.#left -= taken.length;
    if (this.#left === 0) this.#state = 'end of chunk';
    this.push(taken);
    return true;
  }

  #takeLine(): string | undefined {
    const end = this.#pending.indexOf('\r\n');
    if (end < 0) return undefined;
    const line = this.#pending.toString('latin1', 0, end);
    this.#pending = this.#pending.subarray(end + 2);
    return line;
  }

  #startChunk(line: string): void {
    const size = /^([0-9a-fA-F]+)(;.*)?$/.exec(line)?.[1];
    if (size === undefined)
      throw new S3Error('InvalidRequest', `Not the head of an aws-chunked chunk: ${line}`);
    this.#left = Number.parseInt(size, 16);
    this.#state = this.#left === 0 ? 'trailers' : 'bytes';
  }

  #takeTrailer(line: string): void {
    if (line === '') {
      this.#state = 'done';
      return;
    }
    const colon = line.indexOf(':');
    this.trailers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
  }
}

/** The checksums that can be computed here. S3 also knows crc32c and crc64nvme; those are stored unchecked. */
const DIGESTS: Record<string, () => Digest> = {
  'x-amz-checksum-crc32': () => new Crc32(),
  'x-amz-checksum-sha1': () => createHash('sha1'),
  'x-amz-checksum-sha256': () => createHash('sha256'),
  'content-md5': () => createHash('md5'),
};

type Digest = { update(bytes: Buffer): unknown; digest(encoding: 'base64'): string } | Hash;

class Crc32 {
  #value = 0;

  update(bytes: Buffer): void {
    this.#value = crc32(bytes, this.#value);
  }

  digest(): string {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(this.#value);
    return bytes.toString('base64');
  }
}

/** An upload's bytes, and `verify`, to be called when they have ended: throws BadDigest for a checksum that is not theirs. */
export type Upload = { bytes: NodeJS.ReadableStream; verify(): void };

/** The object's bytes of a PUT, out of aws-chunked if need be. */
export function uploadOf(request: IncomingMessage): Upload {
  const decoder = isChunked(request) ? new AwsChunkedDecoder() : undefined;
  const announced = [...Object.keys(request.headers), ...list(request.headers['x-amz-trailer'])];
  const digests = Object.entries(DIGESTS)
    .filter(([name]) => announced.includes(name))
    .map(([name, make]) => ({ name, digest: make() }));
  const meter = new Transform({
    transform(bytes: Buffer, _encoding, done) {
      for (const { digest } of digests) digest.update(bytes);
      done(null, bytes);
    },
  });
  const source = decoder ? request.pipe(decoder) : request;
  decoder?.on('error', (error) => meter.destroy(error));
  request.on('error', (error) => meter.destroy(error));
  request.on('aborted', () =>
    meter.destroy(new S3Error('IncompleteBody', 'The client went away while sending')),
  );
  return {
    bytes: source.pipe(meter),
    verify() {
      for (const { name, digest } of digests) {
        const expected = request.headers[name] ?? decoder?.trailers[name];
        if (expected !== digest.digest('base64')) {
          throw new S3Error('BadDigest', `The ${name} you specified did not match the calculated checksum`);
        }
      }
    },
  };
}

function isChunked({ headers }: IncomingMessage): boolean {
  const hash = headers['x-amz-content-sha256'];
  return (
    (typeof hash === 'string' && hash.startsWith('STREAMING-')) ||
    list(headers['content-encoding']).includes('aws-chunked')
  );
}

function list(header: string | string[] | undefined): string[] {
  return String(header ?? '')
    .split(',')
    .map((part) => part.trim().toLowerCase())
    .filter((part) => part !== '');
}
