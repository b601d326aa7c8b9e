import { parseExactly } from './json-text.ts';
import type { Op, PackEvent } from './pack.ts';
import { UnreadableRecord } from './unreadable-record.ts';

export type Row = Record<string, unknown>;

/** What matters of Debezium's envelope; numbers are their exact decimal texts. */
export type Envelope = Pick<
  PackEvent,
  'op' | 'commit_lsn' | 'lsn' | 'tx_id' | 'tx_order' | 'source_ts' | 'snapshot'
> & { after: Row | null };

/** The envelope as written (https://debezium.io/documentation/reference/3.7/connectors/postgresql.html). */
type WrittenEnvelope = Images & {
  source: Source;
  transaction: { total_order?: unknown } | null;
  op: unknown;
};

type Images = { before?: unknown; after?: unknown };

type Source = {
  lsn?: unknown;
  txId?: unknown;
  /** JSON text: the last commit's end and this event's LSN, e.g. `["26571096","26571152"]`. */
  sequence?: unknown;
  ts_ms?: unknown;
  ts_us?: unknown;
  snapshot?: unknown;
};

/** Which image of the row an operation must carry. */
const ROW_IMAGE = new Map<unknown, keyof Images | null>([
  ['c', 'after'],
  ['u', 'after'],
  ['r', 'after'],
  ['d', 'before'],
  ['t', null],
]);

/**
 * Reads an envelope.
 * @param text the payload of a change event's value
 * @throws UnreadableRecord `invalid-json`, `no-envelope` or `unknown-op`
 */
export function readEnvelope(text: string): Envelope {
  return readUsualLayout(text) ?? readAnyLayout(text);
}

const TEXT = '"[^"\\\\\\u0000-\\u001f]*"';
const NUMBER = '(?:0|[1-9]\\d*)';
const INT64 = '(?:0|[1-9]\\d{0,19})';
const SAFE_INTEGER = '(?:0|[1-9]\\d{0,14}|[1-8]\\d{15})';
const LSN_TEXT = '(?:null|\\\\"(\\d{1,20})\\\\")';

/**
 * Everything behind the row, as Debezium 3.7 writes it. Reading it so takes half the time of parsing it, and leaves
 * the numbers as they are.
 */
const SOURCE_START = ',"source":{"version":';
const BEHIND_ROW = new RegExp(
  `${SOURCE_START.replace('{', '\\{')}${TEXT},"connector":${TEXT},"name":${TEXT},"ts_ms":${NUMBER},` +
    `"snapshot":(?:null|(${TEXT})),"db":${TEXT},"sequence":(?:null|"\\[${LSN_TEXT},${LSN_TEXT}\\]"),` +
    `"ts_us":(${SAFE_INTEGER}),"ts_ns":${NUMBER},"schema":${TEXT},"table":${TEXT},` +
    `"txId":(?:null|(${INT64})),"lsn":(?:null|(${INT64})),"xmin":(?:null|${NUMBER}),` +
    `"origin":(?:null|${TEXT}),"origin_lsn":(?:null|${NUMBER})\\},` +
    `"transaction":(?:null|\\{"id":${TEXT},"total_order":(${INT64}),"data_collection_order":${NUMBER}\\}),` +
    `"op":"([cudrt])","ts_ms":${NUMBER},"ts_us":${NUMBER},"ts_ns":${NUMBER}\\}$`,
  'y',
);

/** Undefined for a text that is laid out in any other way, or is not JSON. */
function readUsualLayout(text: string): Envelope | undefined {
  const sourceAt = text.indexOf(SOURCE_START);
  if (sourceAt < 0 || !text.startsWith('{"')) return undefined;
  BEHIND_ROW.lastIndex = sourceAt;
  const parts = BEHIND_ROW.exec(text);
  if (parts === null) return undefined;
  const row = tryParse(`${text.slice(0, sourceAt)}}`) as Images | undefined;
  if (row === undefined) return undefined;
  const [, snapshot, commitLsn, sequenceLsn, micros, txId, lsn, txOrder, op] = parts;
  return {
    op: op as Op,
    after: imageOf(row, op),
    commit_lsn: commitLsn ?? null,
    lsn: lsn ?? sequenceLsn ?? null,
    tx_id: txId ?? null,
    tx_order: txOrder ?? null,
    source_ts: isoMicros(Number(micros)),
    snapshot: snapshot === undefined ? null : snapshotOf(snapshot.slice(1, -1)),
  };
}

function readAnyLayout(text: string): Envelope {
  const envelope = tryParse(text) as WrittenEnvelope | undefined;
  if (envelope === undefined) {
    throw new UnreadableRecord('invalid-json', `a payload of ${text.length} characters that is not JSON`);
  }
  if (!isObject(envelope) || !isObject(envelope.source)) {
    throw new UnreadableRecord('no-envelope', 'the payload is no Debezium envelope: it has no source');
  }
  const { op, source } = envelope;
  const after = imageOf(envelope, op);
  const exact = parseExactly(text) as WrittenEnvelope;
  const [commitLsn, sequenceLsn] = sequenceOf(source.sequence);
  return {
    op: op as Op,
    after,
    commit_lsn: commitLsn,
    lsn: decimal(exact.source.lsn, 'source.lsn') ?? sequenceLsn,
    tx_id: decimal(exact.source.txId, 'source.txId'),
    tx_order: decimal(exact.transaction?.total_order, 'transaction.total_order'),
    source_ts: isoMicros(source.ts_us) ?? isoMillis(source.ts_ms),
    snapshot: snapshotOf(source.snapshot),
  };
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The row after the change. Checks that the operation came with the image that it must have. */
function imageOf(images: Images, op: unknown): Row | null {
  const image = ROW_IMAGE.get(op);
  if (image === undefined) {
    const name = String(JSON.stringify(op)).slice(0, 40);
    throw new UnreadableRecord('unknown-op', `op ${name} is none of c, u, d, r, t`);
  }
  if (image !== null && !isObject(images[image])) {
    throw new UnreadableRecord('no-envelope', `op ${op} without the row's ${image}`);
  }
  return isObject(images.after) ? images.after : null;
}

function decimal(value: unknown, field: string): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' && /^\d{1,20}$/.test(value)) return value;
  throw new UnreadableRecord('no-envelope', `${field} is no whole number`);
}

function sequenceOf(sequence: unknown): [string | null, string | null] {
  if (sequence === null || sequence === undefined) return [null, null];
  const parts =
    typeof sequence === 'string' ? /^\[(?:null|"(\d{1,20})"),(?:null|"(\d{1,20})")\]$/.exec(sequence) : null;
  if (parts === null) throw new UnreadableRecord('no-envelope', 'source.sequence is no pair of LSNs');
  return [parts[1] ?? null, parts[2] ?? null];
}

/** Null for a streamed event; Debezium writes "false" where nulls are replaced by defaults. */
function snapshotOf(snapshot: unknown): string | null {
  return typeof snapshot === 'string' && snapshot !== 'false' ? snapshot : null;
}

/** Largest distance from 1970 that a Date can hold, in ms (ECMA-262, 21.4.1.1). */
const MAX_DATE_MS = 8.64e15;

/** `2026-01-01T00:00:00.000000Z`; null for what is no time in ms. */
export function isoMillis(millis: unknown): string | null {
  if (typeof millis !== 'number' || !(Math.abs(millis) <= MAX_DATE_MS)) return null;
  return new Date(millis).toISOString().replace('Z', '000Z');
}

/** The last whole second written: events come in the order of their commits, and a Date costs as much as the rest. */
let lastSecond = { number: 0, text: '1970-01-01T00:00:00' };

function isoMicros(micros: unknown): string | null {
  if (typeof micros !== 'number' || !Number.isSafeInteger(micros)) return null;
  const second = Math.floor(micros / 1_000_000);
  if (second !== lastSecond.number) {
    lastSecond = { number: second, text: new Date(second * 1000).toISOString().slice(0, -'.000Z'.length) };
  }
  return `${lastSecond.text}.${String(micros - second * 1_000_000).padStart(6, '0')}Z`;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
