import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { lakeName, RESERVED_SCHEMA, splitTableId, tableId, topicOf } from './names.ts';

/** At most `max` of the active rows that a run touched may match the SQL predicate `where`. */
export type Check = { name: string; where: string; max: number };

/** Columns of another captured table that a silver row carries: `on` and `columns` map own name -> its name. */
export type Reference = { table: string; on: Record<string, string>; columns: Record<string, string> };

export type RegistryTable = {
  /** `<schema>.<table>`. */
  id: string;
  schema: string;
  table: string;
  topic: string;
  /** Key columns; null means the source's primary key, which the Kafka key carries. */
  key: string[] | null;
  partitions: number;
  bronze: { partition: 'day' };
  silver: { bucket: number | null };
  reference: Reference[];
  checks: { fail: Check[]; warn: Check[] };
};

/** What `tables.yml` says, defaults filled in, tables in the order of the file. */
export type Registry = { project: string; epoch: number; tables: RegistryTable[] };

/** tables.yml is wrong; the message lists every mistake with its entry and the remedy. */
export class RegistryError extends Error {
  override name = 'RegistryError';
}

const columnName = z.string().min(1, 'must name a column');
const columnMap = z
  .record(columnName, columnName)
  .refine((map) => Object.keys(map).length > 0, 'must name at least one column');

const check = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9_]*$/, 'must be lower case letters, digits and _'),
  where: z.string().trim().min(1, 'must be a SQL predicate that matches the bad rows'),
  max: z.int().min(0).default(0),
});

const entry = z.strictObject({
  key: z
    .array(columnName)
    .min(1, 'must name at least one column; leave it out for the primary key')
    .optional(),
  partitions: z
    .literal(
      1,
      'must be 1: with more Kafka partitions a key change may be read before the delete it belongs to, and nothing waits for it',
    )
    .default(1),
  bronze: z.strictObject({ partition: z.literal('day', 'must be day') }).default({ partition: 'day' }),
  silver: z.strictObject({ bucket: z.int().min(1).max(4096).optional() }).default({}),
  reference: z
    .array(z.strictObject({ table: z.string().min(1), on: columnMap, columns: columnMap }))
    .default([]),
  checks: z
    .strictObject({ fail: z.array(check).default([]), warn: z.array(check).default([]) })
    .default({ fail: [], warn: [] }),
});

const file = z.strictObject({
  project: z
    .string()
    .regex(/^[a-z][a-z0-9_]{1,30}$/, 'must be 2 to 31 lower case letters, digits and _, a letter first'),
  epoch: z.int().min(1, 'must be 1 or more; raise it by one when offsets or LSNs start again'),
  tables: z
    .record(
      z.string(),
      entry.nullable().transform((value) => value ?? entry.parse({})),
    )
    .refine((tables) => Object.keys(tables).length > 0, 'must list at least one table'),
});

/**
 * Reads the text of tables.yml.
 * @throws RegistryError with one line a mistake, each naming its entry and what to do.
 */
export function parseRegistry(text: string): Registry {
  const parsed = file.safeParse(readYaml(text), { error: describeUnknownFields });
  if (!parsed.success) {
    throw registryError(
      parsed.error.issues.map((issue) => `${issue.path.join('.') || 'file'}: ${issue.message}`),
    );
  }
  const { project, epoch, tables } = parsed.data;
  const registry = {
    project,
    epoch,
    tables: Object.entries(tables).map(([name, fields]) => registryTable(name, fields)),
  };
  const mistakes = [
    ...registry.tables.flatMap(nameMistakes),
    ...collisions(registry.tables),
    ...registry.tables.flatMap((table) => referenceMistakes(table, registry)),
    ...registry.tables.flatMap(checkMistakes),
    ...referenceCycles(registry),
  ];
  if (mistakes.length > 0) throw registryError(mistakes);
  return registry;
}

function readYaml(text: string): unknown {
  try {
    return parseYaml(text);
  } catch (error) {
    throw new RegistryError(`tables.yml is not valid YAML: ${(error as Error).message}`, { cause: error });
  }
}

function registryError(mistakes: string[]): RegistryError {
  return new RegistryError(`tables.yml is wrong:\n${mistakes.map((mistake) => `  - ${mistake}`).join('\n')}`);
}

const describeUnknownFields: z.core.$ZodErrorMap = (issue) => {
  if (issue.code !== 'unrecognized_keys') return undefined;
  return `unknown field ${issue.keys.join(', ')}; the fields are listed at the top of tables.yml`;
};

function registryTable(name: string, fields: z.output<typeof entry>): RegistryTable {
  const id = tableId(name);
  return {
    id,
    ...splitTableId(id),
    topic: topicOf(id),
    key: fields.key ?? null,
    partitions: fields.partitions,
    bronze: fields.bronze,
    silver: { bucket: fields.silver.bucket ?? null },
    reference: fields.reference.map((reference) => ({ ...reference, table: tableId(reference.table) })),
    checks: fields.checks,
  };
}

function nameMistakes({ id, schema, table }: RegistryTable): string[] {
  if (schema === RESERVED_SCHEMA) {
    return [`tables.${id}: the schema ${RESERVED_SCHEMA} holds the signal and heartbeat tables; use another`];
  }
  // Debezium replaces other characters in topic names, and Glue and Athena refuse them in table names.
  const wrong = [schema, table].filter((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name));
  return wrong.map(
    (name) => `tables.${id}: "${name}" must be letters, digits and _; capture the table under a plain name`,
  );
}

/** Tables whose lake tables would be one, or whose topics Kafka takes for one (it confuses "." with "_"). */
function collisions(tables: RegistryTable[]): string[] {
  const taken = new Map<string, string>();
  return tables.flatMap(({ id, topic }) => {
    const names = [`lake table ${lakeName(id)}`, `topic ${topic.replaceAll('.', '_')}`];
    const clash = names.find((name) => taken.has(name));
    if (clash === undefined) {
      for (const name of names) taken.set(name, id);
      return [];
    }
    return [`tables.${id}: shares its ${clash} with ${taken.get(clash)}; rename one of the two tables`];
  });
}

function referenceMistakes({ id, reference }: RegistryTable, registry: Registry): string[] {
  const added = reference.flatMap(({ columns }) => Object.keys(columns));
  const twice = added.filter((column, index) => added.indexOf(column) !== index);
  return [
    ...twice.map(
      (column) => `tables.${id}.reference: the column ${column} is added twice; name one differently`,
    ),
    ...reference.flatMap(({ table, on }) => {
      const target = registry.tables.find((candidate) => candidate.id === table);
      if (target === undefined) {
        return [`tables.${id}.reference: ${table} is not captured; add it to tables or remove the reference`];
      }
      const theirs = Object.values(on).sort().join(', ');
      const key = target.key && [...target.key].sort().join(', ');
      if (key === null || key === theirs) return [];
      return [`tables.${id}.reference: on must name the whole key of ${table} (${key}), not (${theirs})`];
    }),
  ];
}

function checkMistakes({ id, checks }: RegistryTable): string[] {
  const names = [...checks.fail, ...checks.warn].map(({ name }) => name);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  return twice.map((name) => `tables.${id}.checks: two checks are named ${name}; rename one`);
}

/** Reference columns follow one another in one pass, so no table may depend on itself. */
function referenceCycles({ tables }: Registry): string[] {
  const dependsOn = new Map(tables.map(({ id, reference }) => [id, reference.map(({ table }) => table)]));
  const reaches = (from: string, to: string, seen: Set<string>): boolean =>
    (dependsOn.get(from) ?? []).some((next) => {
      if (next === to) return true;
      if (seen.has(next)) return false;
      seen.add(next);
      return reaches(next, to, seen);
    });
  return tables
    .filter(({ id }) => reaches(id, id, new Set()))
    .map(({ id }) => `tables.${id}.reference: leads back to ${id} itself; remove one of the references`);
}
