import { z } from 'zod';

const ACTIONS = ['apply', 'restart', 'status'] as const;

const event = z.looseObject({
  action: z.enum(ACTIONS, `use one of ${ACTIONS.join(', ')}`),
  messageKeys: z
    .record(z.string(), z.array(z.string().min(1)).min(1), 'must give the key columns by table id')
    .default({}),
});

/**
 * apply: put the configuration; restart: start what has failed again; status: only look. For apply, `messageKeys` are
 * those of the source function's answer, always the same as long as the source is: without them the Kafka keys of
 * their tables would change.
 */
export type ConnectorEvent = z.output<typeof event>;

/** Reads the function's event. @throws Error that names what is wrong with it */
export function readEvent(input: unknown): ConnectorEvent {
  const read = event.safeParse(input);
  if (read.success) return read.data;
  const mistakes = read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new Error(`The event ${JSON.stringify(input)} is wrong: ${mistakes.join('; ')}.`);
}
