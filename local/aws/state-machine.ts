import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parse } from 'yaml';

/**
 * Divisor for tests: intervals are a Retry's and a Wait's seconds. Timeouts stay as they are, or a busy machine would
 * meet them.
 */
export type TimeScale = { intervals?: number };

const INTERVAL_FIELDS = new Set(['IntervalSeconds', 'MaxDelaySeconds', 'Seconds']);

/**
 * The definition of `<name>.asl.yml` as Step Functions takes it, with the substitutions that CloudFormation makes
 * (`DefinitionSubstitutions`). With a scale, seconds are divided and rounded up to whole ones (Amazon States Language
 * knows no less than 1); nothing else changes.
 *
 * Throws for a null (osls strips nulls from the template: `ResultPath: null` would turn into the default) and for
 * substitutions used that are not given, or given that are not used.
 */
export function loadStateMachine(
  file: string,
  substitutions: Readonly<Record<string, string>>,
  scale: TimeScale = {},
): string {
  const definition: unknown = parse(readFileSync(file, 'utf8'));
  refuseNulls(definition, basename(file), '$');
  const text = JSON.stringify(scaled(definition, '', scale));
  checkSubstitutions(text, substitutions, basename(file));
  return text.replace(SUBSTITUTION, (_, name: string) => jsonText(substitutions[name] ?? ''));
}

const SUBSTITUTION = /\$\{([A-Za-z0-9]+)\}/g;

/** The names between `${` and `}` in a definition. */
export function substitutionsIn(text: string): string[] {
  return [...new Set([...text.matchAll(SUBSTITUTION)].map(([, name]) => name ?? ''))].sort();
}

function checkSubstitutions(text: string, given: Readonly<Record<string, string>>, file: string): void {
  const used = substitutionsIn(text);
  const missing = used.filter((name) => !(name in given));
  const unused = Object.keys(given).filter((name) => !used.includes(name));
  if (missing.length > 0) throw new Error(`${file} uses ${missing.join(', ')}, which no substitution gives`);
  if (unused.length > 0) throw new Error(`${file} doesn't use the substitutions ${unused.join(', ')}`);
}

function refuseNulls(value: unknown, file: string, path: string): void {
  if (value === null || value === undefined) {
    throw new Error(
      `${file} has a null at ${path}, which the deployment would strip; write a path such as $.ignored`,
    );
  }
  if (typeof value !== 'object') return;
  for (const [name, item] of Object.entries(value)) refuseNulls(item, file, `${path}.${name}`);
}

function scaled(value: unknown, field: string, scale: TimeScale): unknown {
  if (typeof value === 'number') {
    return scaledSeconds(value, field, scale);
  }
  if (Array.isArray(value)) return value.map((item) => scaled(item, '', scale));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, scaled(item, name, scale)]));
}

function scaledSeconds(value: number, field: string, scale: TimeScale): number {
  return INTERVAL_FIELDS.has(field) ? Math.ceil(value / (scale.intervals ?? 1)) : value;
}

/** Text as it stands inside a JSON string. */
function jsonText(value: string): string {
  return JSON.stringify(value).slice(1, -1);
}
