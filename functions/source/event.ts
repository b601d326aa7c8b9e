import { z } from 'zod';

/** Of the replication role's secret; the current version when left out. */
const versionId = z.string().min(1).optional();
const table = z.string().min(1);

const event = z.discriminatedUnion('action', [
  z.object({ action: z.literal('prepare') }),
  z.object({ action: z.literal('check') }),
  z.object({ action: z.literal('remove') }),
  z.object({ action: z.literal('signal'), table, condition: z.string().min(1).optional() }),
  z.object({ action: z.literal('stop-signal'), table }),
  z.object({ action: z.literal('set-password'), versionId }),
  z.object({ action: z.literal('try-password'), versionId }),
]);

/**
 * prepare: make what capture needs; check: only look; remove: take it away again. signal: have Debezium read a table
 * again, by `condition` only some of its rows; stop-signal: have it stop. set-password and try-password: what the
 * rotation of the replication role's secret needs.
 */
export type SourceEvent = z.output<typeof event>;

/** Reads the function's event. @throws Error that names what is wrong with it */
export function readEvent(input: unknown): SourceEvent {
  const read = event.safeParse(input);
  if (read.success) return read.data;
  const actions = event.options.map(({ shape }) => shape.action.value).join(', ');
  const mistakes = read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new Error(
    `The event ${JSON.stringify(input)} is wrong: ${mistakes.join('; ')}. The action is one of ${actions}.`,
  );
}
