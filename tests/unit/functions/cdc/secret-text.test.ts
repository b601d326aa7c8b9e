import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { parseSecret } from '../../../../functions/cdc/secret-text.ts';

const shape = z.object({ host: z.string().min(1), port: z.coerce.number().int().default(5432) });

function refusalOf(text: string | undefined): Error {
  try {
    parseSecret('shop/source', text, shape);
  } catch (error) {
    return error as Error;
  }
  throw new Error('It was accepted.');
}

describe('the text of a secret', () => {
  it('is read by its shape', () => {
    expect(parseSecret('shop/source', '{"host":"db","port":"5433"}', shape)).toEqual({
      host: 'db',
      port: 5433,
    });
  });

  it.each([
    ['{"host": "hush"', 'JSON object'],
    ['hush', 'JSON object'],
    ['"hush"', 'JSON object'],
    [undefined, 'JSON object'],
    ['{"host":"","port":"hush"}', 'host, port'],
  ])('is refused by its wrong fields, never by what it holds: %s', (text, fields) => {
    const refusal = refusalOf(text);
    expect(refusal.message).toBe(`The secret shop/source is not usable; check these fields: ${fields}.`);
    expect(refusal.cause).toBeUndefined();
  });
});
