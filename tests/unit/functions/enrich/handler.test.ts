import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Context } from 'aws-lambda';
import { mockClient } from 'aws-sdk-client-mock';
import type { Pack } from '../../../../functions/cdc/pack.ts';
import { PLACEHOLDER, pipeRecord, type RecordedEvent, recordedEvents } from '../../../recorded-events.ts';

const SECRET = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:placeholder';
const CONTEXT = { functionName: 'enrich', awsRequestId: 'request-1' } as Context;

type Handler = (event: unknown, context: Context) => Promise<Pack[]>;

const environment = { ...process.env };
const lines: string[] = [];
let aws: Awaited<ReturnType<typeof mockedAws>>;
let handler: Handler;

/** The clients that the next import of the handler gets. */
async function mockedAws() {
  const { PutObjectCommand, S3Client } = await import('@aws-sdk/client-s3');
  const { GetSecretValueCommand, SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
  const [s3, secrets] = [mockClient(S3Client), mockClient(SecretsManagerClient)];
  secrets.on(GetSecretValueCommand, { SecretId: SECRET }).resolves({ SecretString: PLACEHOLDER });
  return { s3, secrets, PutObjectCommand, GetSecretValueCommand };
}

beforeAll(() => {
  Object.assign(process.env, {
    STAGE: 'dev',
    KAFKA_CLUSTER_ID: 'cluster-1',
    LANDING_BUCKET: 'landing-bucket',
    UNAVAILABLE_PLACEHOLDER_SECRET_ARN: SECRET,
    AWS_REGION: 'us-east-1',
    // Powertools then writes through the global console.
    POWERTOOLS_DEV: 'true',
    POWERTOOLS_METRICS_DISABLED: 'false',
  });
  for (const level of ['log', 'info', 'warn', 'error'] as const) {
    jest.spyOn(console, level).mockImplementation((line) => void lines.push(String(line)));
  }
});

afterAll(() => {
  process.env = environment;
  jest.restoreAllMocks();
});

beforeEach(async () => {
  lines.length = 0;
  // Each test is a cold start.
  jest.resetModules();
  aws = await mockedAws();
  ({ handler } = (await import('../../../../functions/enrich/handler.ts')) as unknown as {
    handler: Handler;
  });
});

const orders = recordedEvents('orders').map(pipeRecord);

function hugeOrder() {
  const [recorded] = recordedEvents('orders') as [RecordedEvent];
  const value = (recorded.value as string).replace('"notes":null', `"notes":"${'n'.repeat(1_000_000)}"`);
  return pipeRecord({ ...recorded, value });
}

/** Values of a metric that were written, by its name. */
function metric(name: string): unknown[] {
  return lines.flatMap((line) => {
    const entry = line.startsWith('{') ? (JSON.parse(line) as Record<string, unknown>) : {};
    return '_aws' in entry && name in entry ? [entry] : [];
  });
}

describe('the enrichment of a pipe', () => {
  it('answers with packs and tells unchanged values by the token from its secret', async () => {
    const packs = await handler(orders, CONTEXT);
    expect(packs).toHaveLength(1);
    expect(packs[0]?.events.find(({ offset }) => offset === '5')?.unchanged).toEqual(['notes']);
  });

  it('reads the secret once, and again only after it failed', async () => {
    aws.secrets
      .on(aws.GetSecretValueCommand)
      .rejectsOnce(new Error('throttled'))
      .resolves({ SecretString: PLACEHOLDER });
    await expect(handler(orders, CONTEXT)).rejects.toThrow(
      `The placeholder's secret ${SECRET} can't be read`,
    );
    await handler(orders, CONTEXT);
    await handler(orders, CONTEXT);
    expect(aws.secrets.commandCalls(aws.GetSecretValueCommand)).toHaveLength(2);
  });

  it('refuses to guess when the secret is empty', async () => {
    aws.secrets.on(aws.GetSecretValueCommand).resolves({});
    await expect(handler(orders, CONTEXT)).rejects.toThrow('is empty');
  });

  it('answers nothing to nothing', async () => {
    expect(await handler([], CONTEXT)).toEqual([]);
  });

  it('writes what does not fit to the landing bucket', async () => {
    aws.s3.on(aws.PutObjectCommand).resolves({});
    expect(await handler([hugeOrder()], CONTEXT)).toEqual([]);
    expect(aws.s3.commandCalls(aws.PutObjectCommand)[0]?.args[0].input).toMatchObject({
      Bucket: 'landing-bucket',
      Key: 'landing/public.orders/2026/11/23/08/spill-cdc.public.orders-0-0-0-e1.json.gz',
    });
  });

  it('fails when S3 does, so that the pipe retries', async () => {
    aws.s3.on(aws.PutObjectCommand).rejects(new Error('SlowDown'));
    await expect(handler([hugeOrder()], CONTEXT)).rejects.toThrow('the batch must be retried');
  });

  it('fails when it is not wired to Kafka', async () => {
    await expect(handler({ Records: [] }, CONTEXT)).rejects.toThrow("expected an EventBridge pipe's array");
  });

  it('measures records, packs, lag and quarantined records by reason', async () => {
    const broken = { ...(orders[0] as object), offset: 19, value: 'bm8ganNvbg==' };
    await handler([...orders, broken], CONTEXT);
    expect(metric('Records')).toMatchObject([
      { Records: 20, Packs: 1, SpilledPacks: 0, table: 'public.orders' },
    ]);
    expect(metric('SourceToLandingLag')).toHaveLength(1);
    expect(metric('QuarantinedRecords')).toMatchObject([
      { QuarantinedRecords: 1, table: 'public.orders', reason: 'invalid-json' },
    ]);
  });

  it('logs counts, and never a value of a row', async () => {
    await handler(orders, CONTEXT);
    const log = lines.join('\n');
    expect(log).toContain('batch enriched');
    expect(log).not.toContain('long note');
    expect(log).not.toContain('39.80');
  });
});
