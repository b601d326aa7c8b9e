import { Base64Decoder } from './base64-text.ts';
import { memberSpans } from './json-text.ts';
import { UnreadableRecord } from './unreadable-record.ts';

/** A key or value of Connect's JsonConverter, `{"schema":...,"payload":...}`. */
export type ConnectJson<S, P> = {
  schema: S;
  payload: P;
  /** The payload exactly as written. */
  text: string;
  /** UTF-8 bytes of `text`. */
  bytes: number;
};

/**
 * What is taken from a schema and from a payload's text. Either may throw {@link UnreadableRecord}; `payload` must
 * throw, whatever it is, for a text that is not one JSON value.
 */
type Takes<S, P> = { schema: (schema: unknown) => S; payload: (text: string) => P };

/** Everything before a payload, and what was read from it. */
type KnownPrefix<S> = {
  /** base64 of the prefix's whole 3-byte groups. */
  base64: string;
  /** The 0 to 2 bytes of the prefix behind them, and the brace that opens the payload. */
  rest: Buffer;
  schema: S;
};

const CLOSING_BRACE = 0x7d;

/**
 * Reads Connect's JSON from base64. The schema is some 85 % of a record and hardly ever changes, so the text before
 * the payload is remembered for each topic as base64: a record that starts with the same characters has the same
 * schema, and only its tail is decoded and parsed. A record that differs in any way is parsed whole; both ways give
 * the same result.
 */
export class ConnectJsonReader<S, P> {
  readonly #take: Takes<S, P>;
  readonly #decoder = new Base64Decoder();
  readonly #known = new Map<string, KnownPrefix<S>>();

  constructor(take: Takes<S, P>) {
    this.#take = take;
  }

  /**
   * @param topic whose records share a schema
   * @throws UnreadableRecord `invalid-base64`, `invalid-json`, `no-envelope`, or what taking schema or payload throws
   */
  read(topic: string, base64: string): ConnectJson<S, P> {
    return this.#readTail(topic, base64) ?? this.#readWhole(topic, base64);
  }

  #readTail(topic: string, base64: string): ConnectJson<S, P> | undefined {
    const known = this.#known.get(topic);
    // Comparing a slice is one memcmp; startsWith takes ten times as long.
    if (known === undefined || base64.slice(0, known.base64.length) !== known.base64) return undefined;
    try {
      const length = this.#decoder.decode(base64.slice(known.base64.length));
      const start = known.rest.length - 1;
      const end = length - 1;
      if (!surroundsPayload(this.#decoder.bytes, known.rest, end)) return undefined;
      const text = this.#decoder.text(start, end);
      // One JSON value only when nothing but the one closing brace stood behind the payload.
      const payload = this.#take.payload(text);
      return { schema: known.schema, payload, text, bytes: end - start };
    } catch {
      return undefined;
    }
  }

  #readWhole(topic: string, base64: string): ConnectJson<S, P> {
    const whole = this.#decoder.text(0, this.#decoder.decode(base64));
    const envelope = parseObject(whole);
    const spans = memberSpans(whole);
    const span = spans.get('payload');
    if (!spans.has('schema') || span === undefined) {
      throw new UnreadableRecord(
        'no-envelope',
        'no schema and payload; the converters must run with schemas.enable=true',
      );
    }
    const schema = this.#take.schema(envelope['schema']);
    if (span.end === whole.length - 1) {
      this.#known.set(topic, prefixOf(base64, whole.slice(0, span.start), schema));
    }
    const text = whole.slice(span.start, span.end);
    return { schema, payload: this.#take.payload(text), text, bytes: Buffer.byteLength(text) };
  }
}

function parseObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // V8's message quotes the text, and row values don't belong into logs.
    throw new UnreadableRecord('invalid-json', `${text.length} characters that are not JSON`, {
      cause: error,
    });
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new UnreadableRecord('no-envelope', 'JSON, but not an object');
  }
  return value as Record<string, unknown>;
}

/** Whether `bytes` begin with the prefix's rest, and the payload's brace closes right before the envelope's at `end`. */
function surroundsPayload(bytes: Buffer, rest: Buffer, end: number): boolean {
  for (let at = 0; at < rest.length; at++) {
    if (bytes[at] !== rest[at]) return false;
  }
  return bytes[end] === CLOSING_BRACE && bytes[end - 1] === CLOSING_BRACE;
}

function prefixOf<S>(base64: string, prefix: string, schema: S): KnownPrefix<S> {
  const bytes = Buffer.from(prefix);
  const groups = Math.floor(bytes.length / 3);
  return {
    // Through a buffer, so that the large record's text is not kept alive by a slice of it.
    base64: Buffer.from(base64.slice(0, groups * 4), 'latin1').toString('latin1'),
    rest: Buffer.concat([bytes.subarray(groups * 3), Buffer.from('{')]),
    schema,
  };
}
