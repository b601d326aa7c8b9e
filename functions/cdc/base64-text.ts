import { isUtf8 } from 'node:buffer';
import { UnreadableRecord } from './unreadable-record.ts';

const REPLACEMENT = '\uFFFD';

/** Decodes base64 into one buffer, which grows with the largest text. */
export class Base64Decoder {
  /** The bytes of the last text. Those behind its length mean nothing. */
  bytes = Buffer.allocUnsafe(64 * 1024);

  /**
   * @returns how many bytes were decoded
   * @throws UnreadableRecord `invalid-base64`
   */
  decode(base64: string): number {
    const expected = decodedLength(base64);
    if (this.bytes.length < expected) this.bytes = Buffer.allocUnsafe(expected * 2);
    const length = this.bytes.write(base64, 0, 'base64');
    // Node's decoder skips what it doesn't know; only the length tells.
    if (length !== expected) {
      throw new UnreadableRecord('invalid-base64', `${base64.length} characters that are not all base64`);
    }
    return length;
  }

  /**
   * The decoded bytes from `start` to before `end` as text.
   * @throws UnreadableRecord `invalid-json` when they are not UTF-8
   */
  text(start: number, end: number): string {
    const text = this.bytes.toString('utf8', start, end);
    if (text.includes(REPLACEMENT) && !isUtf8(this.bytes.subarray(start, end))) {
      throw new UnreadableRecord('invalid-json', `${end - start} bytes that are not UTF-8`);
    }
    return text;
  }
}

/** Bytes that valid base64 of this length decodes to; -1 when no base64 is this long. */
function decodedLength(base64: string): number {
  if (base64.length % 4 !== 0) return -1;
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  return (base64.length / 4) * 3 - padding;
}
