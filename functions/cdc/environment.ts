import { z } from 'zod';

/** A variable that must be set to something. */
export const present = z.string('is missing').min(1, 'is empty');

/** A variable that must be set to 1, 2, 3 and so on. */
export const wholeNumber = present.regex(/^[1-9]\d*$/, 'must be a whole number from 1');

/**
 * Reads a function's environment by its shape.
 * @param name the function's, for the error
 * @throws Error that names every variable that is missing or wrong, without what it holds
 */
export function readEnvironment<Shape extends z.ZodType>(
  name: string,
  shape: Shape,
  env: Readonly<Record<string, string | undefined>>,
): z.output<Shape> {
  const read = shape.safeParse(env);
  if (read.success) return read.data;
  const mistakes = read.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`.trim());
  throw new Error(`The environment of ${name} is wrong: ${mistakes.join('; ')}`);
}
