import type { z } from 'zod';

/**
 * Reads a secret's text, a JSON object, by its shape.
 * @throws Error that names the secret and its wrong fields; neither the message nor a cause repeats what it holds,
 *   because messages end in logs and alerts
 */
export function parseSecret<Shape extends z.ZodType>(
  id: string,
  text: string | undefined,
  shape: Shape,
): z.output<Shape> {
  const read = shape.safeParse(jsonOf(text));
  if (read.success) return read.data;
  const fields = read.error.issues.map(({ path }) => path.join('.') || 'JSON object').join(', ');
  throw new Error(`The secret ${id} is not usable; check these fields: ${fields}.`);
}

/** Undefined for what isn't JSON: the parser's own message quotes the text. */
function jsonOf(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
