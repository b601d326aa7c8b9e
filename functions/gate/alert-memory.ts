import { GetObjectCommand, NoSuchKey, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { type Failed, newsOf, type Told } from '../cdc/alert-identity.ts';

/** Which failures of the medallion were told, and when. */
const TOLD_KEY = 'reports/latest/alerts.json';

/**
 * Whether a failure is to be told now; it is remembered as told then.
 * @throws Error when the memory can't be read or written; tell it then
 */
export async function isNews(s3: S3Client, bucket: string, failed: Failed, now: Date): Promise<boolean> {
  const { tell, told } = newsOf(await readTold(s3, bucket), failed, now);
  if (!tell) return false;
  await s3.send(
    new PutObjectCommand({
      Bucket: bucket,
      Key: TOLD_KEY,
      Body: JSON.stringify({ told }),
      ContentType: 'application/json',
    }),
  );
  return true;
}

async function readTold(s3: S3Client, bucket: string): Promise<Told> {
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: TOLD_KEY }));
    const { told } = JSON.parse((await Body?.transformToString()) ?? '') as { told: Told };
    return told;
  } catch (error) {
    if (error instanceof NoSuchKey) return {};
    throw new Error(`s3://${bucket}/${TOLD_KEY} can't be read; remove it to start afresh`, { cause: error });
  }
}
