import { GetObjectCommand, NoSuchKey, type S3Client } from '@aws-sdk/client-s3';
import { type LayerReport, parseReport } from '../cdc/report.ts';

/** The report under a key, undefined when there is none. @throws Error that names a key with something else. */
export async function readReport(
  s3: S3Client,
  bucket: string,
  key: string,
): Promise<LayerReport | undefined> {
  const text = await readText(s3, bucket, key);
  if (text === undefined) return undefined;
  try {
    return parseReport(text);
  } catch (error) {
    throw new Error(`s3://${bucket}/${key}: ${(error as Error).message}`, { cause: error });
  }
}

async function readText(s3: S3Client, bucket: string, key: string): Promise<string | undefined> {
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return await Body?.transformToString();
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined;
    throw error;
  }
}
