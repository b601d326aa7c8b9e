import type { PackEvent } from '../cdc/pack.ts';

/** More than an event's JSON has beside its key and payload: names, digits, times and punctuation. */
const FRAME_BYTES = 500;

/** UTF-8 bytes that a character of any text takes in JSON at most: a control character becomes `\u0000`. */
const BYTES_PER_CHARACTER = 6;

/** JSON.stringify makes two bytes of a quote, a backslash or a line break, and JSON text has no worse. */
const GROWTH_OF_JSON_TEXT = 2;

/** UTF-8 bytes of a value's JSON. */
export function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/**
 * At least the UTF-8 bytes of an event's JSON. Measuring exactly means writing the JSON, a sixth of the whole work.
 * @param payloadBytes UTF-8 bytes of the payload
 */
export function eventBytesBound(
  { key, prior_key, snapshot, unchanged }: PackEvent,
  payloadBytes: number,
): number {
  const texts = (key?.length ?? 0) + (prior_key?.length ?? 0) + (snapshot?.length ?? 0);
  const names = unchanged.length === 0 ? 0 : jsonBytes(unchanged);
  return FRAME_BYTES + texts * BYTES_PER_CHARACTER + names + payloadBytes * GROWTH_OF_JSON_TEXT;
}
