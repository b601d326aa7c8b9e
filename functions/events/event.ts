import { z } from 'zod';
import { tableId } from '../cdc/names.ts';

/** Longest wait of one call (ms); the function's own time-out leaves room for connecting. */
const MAX_WAIT_MS = 25_000;

/** Where to read on: the next offset, decimal, by partition. */
export type Position = Record<string, string>;

const offset = z.string().regex(/^\d+$/, 'must be an offset as a decimal');

const event = z.object({
  table: z.string().min(1).transform(tableId),
  from: z.union([z.enum(['beginning', 'end']), z.record(z.string().regex(/^\d+$/), offset)]).default('end'),
  limit: z.number().int().min(1).max(1_000).default(100),
  waitMs: z.number().int().min(0).max(MAX_WAIT_MS).default(5_000),
});

/**
 * Which table's topic, from where on (`next` of the answer before), how many records at most, and how long to wait for
 * the first one.
 */
export type EventsRequest = z.output<typeof event>;

const snapshotEnd = z.object({
  action: z.literal('snapshot-end', 'the only action is snapshot-end'),
  /** Id of the signal that asked for the snapshot. */
  signal: z.string().min(1),
});

/** Asks how an incremental snapshot ended. */
export type SnapshotEndRequest = z.output<typeof snapshotEnd>;

/** Reads the function's event. @throws Error that names what is wrong with it */
export function readEvent(input: unknown, tables: readonly string[]): EventsRequest | SnapshotEndRequest {
  if (typeof input === 'object' && input !== null && 'action' in input) return shaped(snapshotEnd, input);
  const request = shaped(event, input);
  if (tables.includes(request.table)) return request;
  throw new Error(`The table ${request.table} is not captured; use one of ${tables.join(', ')}.`);
}

function shaped<Shape extends z.ZodType>(shape: Shape, input: unknown): z.output<Shape> {
  const read = shape.safeParse(input);
  if (read.success) return read.data;
  const mistakes = read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new Error(`The event ${JSON.stringify(input)} is wrong: ${mistakes.join('; ')}.`);
}
