import { InvokeCommand, LambdaClient, type LambdaClientConfig } from '@aws-sdk/client-lambda';
import { PutObjectCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';

/** Invokes the enrichment with an event and gives its answer's bytes; throws when it failed, so that it is retried. */
export type Enrich = (event: string, signal: AbortSignal) => Promise<Uint8Array>;

/** Writes an object at once and whole; throws when it could not. */
export type PutLanding = (key: string, content: Buffer, signal: AbortSignal) => Promise<void>;

/** A pipe gives its enrichment at most 5 minutes. */
const ENRICHMENT_TIMEOUT_MS = 300_000;
const PUT_TIMEOUT_MS = 60_000;

/** Invocation of a Lambda function, addressed as the settings say, else AWS_ENDPOINT_URL. */
export function lambdaEnrichment(functionName: string, settings: LambdaClientConfig = {}): Enrich {
  // One attempt: the pipe itself retries, and says so in its status.
  const client = new LambdaClient({
    ...settings,
    maxAttempts: 1,
    requestHandler: { requestTimeout: ENRICHMENT_TIMEOUT_MS },
  });
  return async (event, signal) => {
    const { FunctionError, Payload } = await client.send(
      new InvokeCommand({ FunctionName: functionName, Payload: Buffer.from(event) }),
      { abortSignal: signal },
    );
    const payload = Payload ?? new Uint8Array();
    if (FunctionError === undefined) return payload;
    throw new Error(`${functionName} failed (${FunctionError}): ${errorText(payload)}`);
  };
}

/** Objects of a bucket, addressed as the settings say, else AWS_ENDPOINT_URL. */
export function s3Landing(bucket: string, settings: S3ClientConfig = {}): PutLanding {
  const client = new S3Client({
    ...settings,
    maxAttempts: 1,
    requestHandler: { requestTimeout: PUT_TIMEOUT_MS },
  });
  return async (key, content, signal) => {
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: content }), {
      abortSignal: signal,
    });
  };
}

/** Type and message of a function's error; not its stack, which may be long. */
function errorText(payload: Uint8Array): string {
  const text = Buffer.from(payload).toString('utf8');
  try {
    const { errorType, errorMessage } = JSON.parse(text) as { errorType?: string; errorMessage?: string };
    return [errorType, errorMessage].filter(Boolean).join(': ');
  } catch {
    return text.slice(0, 500);
  }
}
