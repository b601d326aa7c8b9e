import { GetObjectCommand, NoSuchKey, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';

/** The JSON under a key, undefined when there is no object. @throws Error that names a key with something else. */
export async function readJson<Value>(s3: S3Client, bucket: string, key: string): Promise<Value | undefined> {
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return JSON.parse((await Body?.transformToString()) ?? '') as Value;
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined;
    if (!(error instanceof SyntaxError)) throw error;
    throw new Error(`s3://${bucket}/${key} is no JSON: ${error.message}; remove it to start afresh`, {
      cause: error,
    });
  }
}

export async function writeJson(s3: S3Client, bucket: string, key: string, value: unknown): Promise<void> {
  const body = JSON.stringify(value);
  await s3.send(
    new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ContentType: 'application/json' }),
  );
}
