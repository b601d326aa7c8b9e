import { ListObjectsV2Command, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { NamedFile } from './zip.ts';

const CONCURRENT_UPLOADS = 8;

export type Upload = {
  s3: S3Client;
  bucket: string;
  /** `serverless/cdc-demo/dev/assets/<hash>`, where nothing else is ever written. */
  prefix: string;
  files: readonly NamedFile[];
};

/**
 * Puts the files under their prefix. The prefix names their content, so what is there already is left as it is and an
 * upload that broke goes on where it stood. Nothing is deleted: a run that began before this deployment goes on reading
 * its own prefix, and so does a stack that is rolled back.
 * @returns how many files were put and how many were there
 * @throws Error that names the file which could not be put, with S3's as its cause
 */
export async function uploadAssets(upload: Upload): Promise<{ put: number; present: number }> {
  const present = await sizesUnder(upload);
  const missing = upload.files.filter(({ name, body }) => present.get(name) !== body.length);
  for (let first = 0; first < missing.length; first += CONCURRENT_UPLOADS) {
    await Promise.all(missing.slice(first, first + CONCURRENT_UPLOADS).map((file) => put(upload, file)));
  }
  return { put: missing.length, present: upload.files.length - missing.length };
}

/** Page by page: the SDK's paginators refuse a client of another copy of the SDK, which osls's is here. */
async function sizesUnder({ s3, bucket, prefix }: Upload): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  let token: string | undefined;
  do {
    const page = await s3.send(
      new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: `${prefix}/`,
        ...(token === undefined ? {} : { ContinuationToken: token }),
      }),
    );
    for (const { Key, Size } of page.Contents ?? []) {
      if (Key !== undefined && Size !== undefined) sizes.set(Key.slice(prefix.length + 1), Size);
    }
    token = page.NextContinuationToken;
  } while (token !== undefined);
  return sizes;
}

async function put({ s3, bucket, prefix }: Upload, { name, body }: NamedFile): Promise<void> {
  const key = `${prefix}/${name}`;
  try {
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
  } catch (error) {
    throw new Error(
      `${name} could not be uploaded to s3://${bucket}/${key}; the stack was not changed, deploy again`,
      { cause: error },
    );
  }
}
