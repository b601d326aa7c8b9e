import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Spill } from './enrich.ts';

const compress = promisify(gzip);

/** Objects written at the same time; a response of 500 one-record packs must not open 500 connections. */
const CONCURRENT_WRITES = 16;

/**
 * Writes each pack as an object of its own: one line of JSON, gzip, as Firehose writes them.
 * @throws Error with S3's as its cause; the pipe then retries the batch, and writes over the same keys
 */
export async function writeSpills(spills: Spill[], bucket: string, s3: S3Client): Promise<void> {
  for (let first = 0; first < spills.length; first += CONCURRENT_WRITES) {
    await Promise.all(
      spills.slice(first, first + CONCURRENT_WRITES).map((spill) => writeSpill(spill, bucket, s3)),
    );
  }
}

async function writeSpill({ key, pack }: Spill, bucket: string, s3: S3Client): Promise<void> {
  const body = await compress(`${JSON.stringify(pack)}\n`);
  try {
    await s3.send(
      new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ContentType: 'application/gzip' }),
    );
  } catch (error) {
    throw new Error(
      `A pack of ${pack.topic}, partition ${pack.partition}, offsets ${pack.from_offset} to ${pack.to_offset} ` +
        `could not be written to s3://${bucket}/${key}; the batch must be retried`,
      { cause: error },
    );
  }
}
