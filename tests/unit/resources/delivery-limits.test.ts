import { describe, expect, it } from '@jest/globals';
import { TOPIC_MAX_MESSAGE_BYTES } from '../../../functions/cdc/connector-config.ts';
import {
  MAX_PACK_BYTES,
  MAX_RESPONSE_BYTES,
  MAX_RESPONSE_PACKS,
} from '../../../functions/enrich/pack-limits.ts';
import { responseBytes, streamQuota } from '../../../resources/delivery-limits.ts';
import { PIPE_BATCH_RECORDS } from '../../../resources/pipes.ts';

const MB = 1000 * 1000;
const MiB = 1024 * 1024;

/** A synchronous invocation, each way: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const LAMBDA_PAYLOAD = 6 * MB;
/** One PutRecordBatch: https://docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html */
const PUT_RECORDS = 500;
const PUT_BYTES = 4 * MiB;
const RECORD_BYTES = 1000 * 1024;
/** The brackets of a response of one pack. */
const BRACKETS = 2;
/** ARN, topic, offset and so on beside key and value of one record in a pipe's event, with Debezium's headers. */
const RECORD_FRAME = 20_000;

describe('a batch on its way from Kafka to the landing zone', () => {
  it('is never more records than Firehose takes at once, a pack for each', () => {
    expect(PIPE_BATCH_RECORDS).toBeLessThanOrEqual(PUT_RECORDS);
    expect(PIPE_BATCH_RECORDS).toBeLessThanOrEqual(MAX_RESPONSE_PACKS);
    expect(MAX_RESPONSE_PACKS).toBeLessThanOrEqual(PUT_RECORDS);
  });

  it('fits into an invocation even when it is one record of the largest kind, in base64', () => {
    // The poller itself closes a batch of several at 6 MB.
    expect((TOPIC_MAX_MESSAGE_BYTES * 4) / 3 + RECORD_FRAME).toBeLessThanOrEqual(LAMBDA_PAYLOAD);
  });

  it.each(['us-east-1', 'eu-central-1'])('is answered within every limit in %s', (region) => {
    const response = responseBytes(region);
    expect(response).toBeLessThanOrEqual(LAMBDA_PAYLOAD);
    expect(response + MAX_RESPONSE_PACKS).toBeLessThanOrEqual(PUT_BYTES);
    expect(MAX_PACK_BYTES + BRACKETS).toBeLessThanOrEqual(response);
    expect(MAX_PACK_BYTES + '\n'.length).toBeLessThanOrEqual(RECORD_BYTES);
  });

  it.each(['us-east-1', 'us-west-2', 'eu-west-1', 'eu-central-1', 'ap-southeast-2'])(
    'asks no more of a delivery stream in %s than its default quota of a second',
    (region) => {
      const quota = streamQuota(region);
      // A line's delimiter is added behind the quota.
      expect(responseBytes(region)).toBeLessThanOrEqual(quota.bytes);
      expect(PIPE_BATCH_RECORDS).toBeLessThanOrEqual(quota.records);
    },
  );

  it('uses what the large regions give', () => {
    expect(responseBytes('us-east-1')).toBe(MAX_RESPONSE_BYTES);
    expect(responseBytes('eu-central-1')).toBeLessThan(MiB);
  });
});
