import { isUtf8 } from 'node:buffer';
import { UnreadableRecord } from './unreadable-record.ts';

/** A decoded text and its length in UTF-8 bytes. */
export type DecodedText = { text: string; bytes: number };

const REPLACEMENT = '\uFFFD';
let scratch = Buffer.allocUnsafe(64 * 1024);

/**
 * Decodes UTF-8 text from base64.
 * @throws UnreadableRecord `invalid-base64` or, when the bytes are not UTF-8, `invalid-json`
 */
export function decodeBase64Text(base64: string): DecodedText {
  // Node's decoder skips what it doesn't know; only the length tells.
  const expected = decodedLength(base64);
  if (scratch.length < expected) scratch = Buffer.allocUnsafe(expected * 2);
  const bytes = scratch.write(base64, 0, 'base64');
  if (bytes !== expected) {
    throw new UnreadableRecord('invalid-base64', `${base64.length} characters that are not all base64`);
  }
  const text = scratch.toString('utf8', 0, bytes);
  if (text.includes(REPLACEMENT) && !isUtf8(scratch.subarray(0, bytes))) {
    throw new UnreadableRecord('invalid-json', `${bytes} bytes that are not UTF-8`);
  }
  return { text, bytes };
}

/** Bytes that valid base64 of this length decodes to; -1 when no base64 is this long. */
function decodedLength(base64: string): number {
  if (base64.length % 4 !== 0) return -1;
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  return (base64.length / 4) * 3 - padding;
}
