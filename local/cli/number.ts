import { UsageError } from '../usage-error.ts';

/** A whole number from 1. @throws UsageError that names the option */
export function wholeNumberOf(text: string, option: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new UsageError(`${option} must be a whole number from 1, not ${text}.`);
}
