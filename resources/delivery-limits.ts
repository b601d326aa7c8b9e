import { MAX_RESPONSE_BYTES } from '../functions/enrich/pack-limits.ts';

/** What Direct PUT lets into a delivery stream by default, each second. */
export type StreamQuota = { records: number; calls: number; bytes: number };

/**
 * Regions with the larger quota: https://docs.aws.amazon.com/firehose/latest/dev/limits.html. It can be raised by
 * request; a stream that is over it answers with a throttling error, and the pipe tries the batch again.
 */
const LARGE_REGIONS: ReadonlySet<string> = new Set(['us-east-1', 'us-west-2', 'eu-west-1']);
const LARGE: StreamQuota = { records: 500_000, calls: 2_000, bytes: 5 * 1024 * 1024 };
const SMALL: StreamQuota = { records: 100_000, calls: 1_000, bytes: 1024 * 1024 };

/** Part of the quota that one response may use: what the stream counts beside the packs' own bytes is not documented. */
const MARGIN = 0.95;

export function streamQuota(region: string): StreamQuota {
  return LARGE_REGIONS.has(region) ? LARGE : SMALL;
}

/**
 * Bytes that one enrichment's response may have in a region: never more than a delivery stream takes in a second, so that
 * no batch is refused whenever it comes. What is above is written to the landing zone by the function itself.
 */
export function responseBytes(region: string): number {
  return Math.min(MAX_RESPONSE_BYTES, Math.floor(streamQuota(region).bytes * MARGIN));
}
