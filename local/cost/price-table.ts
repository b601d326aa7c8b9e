import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

const price = z.strictObject({
  service: z.string().min(1),
  what: z.string().min(1),
  unit: z.string().min(1),
  /** USD for one unit. */
  usd: z.number().min(0),
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/),
  /** Year and month in which it was read. */
  date: z.string().regex(/^\d{4}-\d{2}$/),
  source: z.enum(['secondary', 'aws']),
});

export type Price = z.output<typeof price>;
export type PriceTable = Readonly<Record<string, Price>>;

/** Reads a price table. @throws Error that names every entry that is not complete */
export function parsePrices(text: string): PriceTable {
  const read = z.record(z.string(), price).safeParse(parse(text));
  if (read.success) return read.data;
  const mistakes = read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new Error(`The price table is wrong: ${mistakes.join('; ')}`);
}

/** The project's price table, `prices.yml`. */
export function readPrices(): PriceTable {
  return parsePrices(readFileSync(new URL('./prices.yml', import.meta.url), 'utf8'));
}
