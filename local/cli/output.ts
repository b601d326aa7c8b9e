/** What commands print: tables, CSV, JSON, colours that are left out where a terminal has none. */
import { styleText } from 'node:util';
import Table from 'cli-table3';
import { stringify } from 'csv-stringify/sync';

/** A result set: column names, and rows of JSON values in that order. */
export interface Rows {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
}

type Style = Parameters<typeof styleText>[0];

/** Colours text for stdout; plain where stdout is no terminal or NO_COLOR is set. */
export function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout, validateStream: true });
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** Rows as a table with a line under the header; numbers to the right. */
export function table({ columns, rows }: Rows): string {
  const numeric = columns.map((_, i) => rows.some((r) => r[i] != null) && rows.every((r) => isNumber(r[i])));
  const grid = new Table({
    head: columns.map((name) => paint('bold', name)),
    colAligns: numeric.map((right) => (right ? 'right' : 'left')),
    style: { head: [], border: [], compact: true },
    chars: {
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      'left-mid': '',
      right: '',
      'right-mid': '',
      mid: '',
      'mid-mid': '',
      middle: ' ',
    },
  });
  for (const row of rows) grid.push(row.map(cell));
  return grid.toString();
}

function isNumber(value: unknown): boolean {
  return (
    value === null ||
    typeof value === 'number' ||
    (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value))
  );
}

/** Rows as CSV (RFC 4180) with a header line. */
export function csv({ columns, rows }: Rows): string {
  return stringify([columns as string[], ...rows.map((row) => row.map(cell))]).trimEnd();
}

/** Rows as a JSON array of objects. */
export function json({ columns, rows }: Rows): string {
  return JSON.stringify(
    rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i] ?? null]))),
    null,
    2,
  );
}

const BYTE_UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'];

/** Bytes as a person reads them, in powers of 1000 as AWS bills: 850 bytes, 1.3 MB. */
export function bytes(count: number): string {
  const power = count < 1000 ? 0 : Math.min(Math.floor(Math.log10(count) / 3), BYTE_UNITS.length - 1);
  const value = count / 1000 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${BYTE_UNITS[power]}`;
}

/** Milliseconds as a person reads them: 850 ms, 12.3 s, 3 min 05 s. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}
