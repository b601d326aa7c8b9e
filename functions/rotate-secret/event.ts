import { z } from 'zod';

const event = z.looseObject({
  Step: z.enum(['createSecret', 'setSecret', 'testSecret', 'finishSecret']),
  SecretId: z.string().min(1),
  ClientRequestToken: z.string().min(1),
});

/**
 * One step of a rotation; the token is the id of the new version
 * (https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html).
 */
export type RotationEvent = z.output<typeof event>;

/** Reads the function's event. @throws Error that names what is wrong with it */
export function readEvent(input: unknown): RotationEvent {
  const read = event.safeParse(input);
  if (read.success) return read.data;
  const mistakes = read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new Error(`This is no request of Secrets Manager's rotation: ${mistakes.join('; ')}.`);
}
