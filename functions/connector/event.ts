import { z } from 'zod';

const ACTIONS = ['apply', 'keep', 'restart', 'status', 'snapshot-state', 'remove'] as const;

/** CloudFormation hands an object over as its JSON text. */
const messageKeys = z.preprocess(
  (value) => (typeof value === 'string' ? jsonOf(value) : value),
  z.record(z.string(), z.array(z.string().min(1)).min(1), 'must give the key columns by table id'),
);

const event = z.looseObject({
  action: z.enum(ACTIONS, `use one of ${ACTIONS.join(', ')}`),
  messageKeys: messageKeys.default({}),
  /** LSN, decimal, from which on a signal has been seen. */
  after: z.string().regex(/^\d+$/, 'must be an LSN as a decimal').optional(),
});

/**
 * apply: put the configuration; keep: the same for a connector that is there, and start again what has failed; restart: only that;
 * status: only look; snapshot-state: how far an incremental snapshot is, `after` its signal; remove: stop the connector
 * and forget it. For apply and keep, `messageKeys` are those of the source function's answer, always the same as long as
 * the source is: without them the Kafka keys of their tables would change.
 */
export type ConnectorEvent = z.output<typeof event>;

/** Reads the function's event. @throws Error that names what is wrong with it */
export function readEvent(input: unknown): ConnectorEvent {
  const read = event.safeParse(input);
  if (read.success) return read.data;
  const mistakes = read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new Error(`The event ${JSON.stringify(input)} is wrong: ${mistakes.join('; ')}.`);
}

/** The text itself where it is no JSON: the shape then says what is wrong. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
