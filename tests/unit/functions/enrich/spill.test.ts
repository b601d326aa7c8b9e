import { gunzipSync } from 'node:zlib';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { ChangeEventReader } from '../../../../functions/cdc/change-event.ts';
import { enrich, type Spill } from '../../../../functions/enrich/enrich.ts';
import { writeSpills } from '../../../../functions/enrich/spill.ts';
import { PLACEHOLDER, pipeRecord, recordedEvents } from '../../../recorded-events.ts';

const s3 = mockClient(S3Client);

const { response } = enrich(recordedEvents('orders').map(pipeRecord), {
  epoch: 1,
  cluster: 'c',
  tables: new Set(['public.orders']),
  reader: new ChangeEventReader(PLACEHOLDER),
  now: new Date(0),
});

function spills(count: number): Spill[] {
  return Array.from({ length: count }, (_, index) => ({
    key: `landing/${index}`,
    pack: response[0] as Spill['pack'],
  }));
}

beforeEach(() => {
  s3.reset();
});

describe('a spilled pack', () => {
  it('is one gzip object with one line of JSON', async () => {
    s3.on(PutObjectCommand).resolves({});
    await writeSpills(spills(1), 'bucket', new S3Client({}));
    const { Bucket, Key, Body } = s3.commandCalls(PutObjectCommand)[0]?.args[0].input ?? {};
    expect([Bucket, Key]).toEqual(['bucket', 'landing/0']);
    const text = gunzipSync(Body as Buffer).toString();
    expect(text.endsWith('\n')).toBe(true);
    expect(JSON.parse(text)).toEqual(response[0]);
  });

  it('is written beside few others at the same time, and none is left out', async () => {
    let open = 0;
    let most = 0;
    // Compression takes each pack its own time: none is done before as many as may be are under way.
    const full = Promise.withResolvers<void>();
    s3.on(PutObjectCommand).callsFake(async () => {
      most = Math.max(most, ++open);
      if (open === 16) full.resolve();
      await full.promise;
      open--;
      return {};
    });
    await writeSpills(spills(50), 'bucket', new S3Client({}));
    const keys = s3.commandCalls(PutObjectCommand).map(({ args }) => args[0].input.Key);
    expect(new Set(keys).size).toBe(50);
    expect(most).toBe(16);
  });

  it('that can not be written fails the batch, saying what and where', async () => {
    const denied = new Error('Access Denied');
    s3.on(PutObjectCommand).rejects(denied);
    const write = writeSpills(spills(1), 'bucket', new S3Client({}));
    await expect(write).rejects.toThrow(
      'A pack of cdc.public.orders, partition 0, offsets 0 to 18 could not be written to s3://bucket/landing/0',
    );
    await expect(write).rejects.toHaveProperty('cause', denied);
  });
});
