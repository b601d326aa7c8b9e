import type { Pack } from '../cdc/pack.ts';

/**
 * Bytes of UTF-8 JSON that one pack may have. A Firehose record holds 1,000 KiB
 * (https://docs.aws.amazon.com/firehose/latest/dev/limits.html); the rest is margin.
 */
export const MAX_PACK_BYTES = 900_000;

/** Packs in one response: a pipe hands its array to Firehose's PutRecordBatch, which takes 500 records. */
export const MAX_RESPONSE_PACKS = 500;

/**
 * Bytes of UTF-8 JSON of one response. PutRecordBatch takes 4 MiB, a pipe's enrichment may answer 6 MB; the margin
 * holds another escaping of quotes, should the pipe hand the packs on as JSON strings.
 */
export const MAX_RESPONSE_BYTES = 3_000_000;

/** A pack, how many bytes its JSON has at most, and its first record's Kafka timestamp in ms. */
export type MeasuredPack = { pack: Pack; bytes: number; firstTimestamp: number };

/** What fits into the response, and what must be written as objects of its own. Both keep the packs' order. */
export function divide(packs: MeasuredPack[]): { response: MeasuredPack[]; overflow: MeasuredPack[] } {
  const response: MeasuredPack[] = [];
  const overflow: MeasuredPack[] = [];
  let total = '[]'.length;
  for (const pack of packs) {
    const { bytes } = pack;
    const fits =
      bytes <= MAX_PACK_BYTES &&
      response.length < MAX_RESPONSE_PACKS &&
      total + bytes + ','.length <= MAX_RESPONSE_BYTES;
    if (fits) total += bytes + ','.length;
    (fits ? response : overflow).push(pack);
  }
  return { response, overflow };
}
