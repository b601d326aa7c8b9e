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

/** A pack's size: an upper bound in UTF-8 bytes, which `measure` makes exact. */
type Measurable = { bound: number; measure: () => number };

/**
 * What fits into the response, and what must be written as objects of its own. Both keep the packs' order.
 * @param responseBytes bytes that one response may have; less than the usual where a delivery stream takes less
 */
export function divide<P extends Measurable>(
  packs: P[],
  responseBytes = MAX_RESPONSE_BYTES,
): { response: P[]; overflow: P[] } {
  if (!withinLimits(packs, responseBytes)) for (const pack of packs) pack.measure();
  const response: P[] = [];
  const overflow: P[] = [];
  let total = '[]'.length;
  for (const pack of packs) {
    const added = pack.bound + ','.length;
    const fits =
      pack.bound <= MAX_PACK_BYTES && response.length < MAX_RESPONSE_PACKS && total + added <= responseBytes;
    if (fits) total += added;
    (fits ? response : overflow).push(pack);
  }
  return { response, overflow };
}

function withinLimits(packs: Measurable[], responseBytes: number): boolean {
  const total = packs.reduce((bytes, { bound }) => bytes + bound + ','.length, '[]'.length);
  return total <= responseBytes && packs.every(({ bound }) => bound <= MAX_PACK_BYTES);
}
