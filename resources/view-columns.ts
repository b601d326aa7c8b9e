import { PackagingError } from './packaging-error.ts';

/** A column of a view, its type as the Glue catalog (Hive) and as Athena's views (Presto) write it. */
export type LakeColumn = { name: string; hive: string; presto: string; comment?: string };

/** Types of create.sql files by their first word; a decimal keeps what is in its parentheses. */
const TYPES: Readonly<Record<string, { hive: string; presto: string }>> = {
  BIGINT: { hive: 'bigint', presto: 'bigint' },
  BOOLEAN: { hive: 'boolean', presto: 'boolean' },
  DATE: { hive: 'date', presto: 'date' },
  DECIMAL: { hive: 'decimal', presto: 'decimal' },
  DOUBLE: { hive: 'double', presto: 'double' },
  FLOAT: { hive: 'float', presto: 'real' },
  INT: { hive: 'int', presto: 'integer' },
  STRING: { hive: 'string', presto: 'varchar' },
  // Iceberg's timestamp with time zone, as Athena's engine version 3 reads it.
  TIMESTAMP: { hive: 'timestamp', presto: 'timestamp(6) with time zone' },
};

const COLUMN = /^\s+(\w+) (\w+)(\([\d, ]+\))?(?: NOT NULL)?\s*(?:COMMENT '((?:[^']|'')*)')?,?$/gm;
const ADDED = /^-- Column: (\w+) (\w+)(\([\d, ]+\))?$/gm;
const ALIAS = / AS (\w+),?$/gm;

/**
 * The columns of a view that is `SELECT <table>.*` and expressions: those of the table, then those that view.sql's header
 * names in lines of the form `-- Column: days BIGINT`, which is what the expressions are on Athena.
 * @param create text of create.sql, a column a line
 * @param view text of view.sql
 * @param folder where they lie, for the error
 * @throws PackagingError when a type is unknown, or header and expressions differ
 */
export function columnsOf(create: string, view: string, folder: string): LakeColumn[] {
  const body = create.slice(create.indexOf('(\n') + 1, create.indexOf('\n)'));
  // A comment that is too long for its line stands alone on the next.
  const columns = [...body.replaceAll(/\n\s+COMMENT /g, ' COMMENT ').matchAll(COLUMN)];
  const added = [...view.matchAll(ADDED)];
  const aliases = [...view.slice(view.indexOf('SELECT'), view.indexOf('FROM {target}')).matchAll(ALIAS)];
  const expressions = aliases.map(([, name]) => name).join(', ');
  const declared = added.map(([, name]) => name).join(', ');
  if (expressions !== declared) {
    throw new PackagingError(
      `${folder}/view.sql selects ${expressions || 'no expression'} but its header declares ${declared || 'none'}: ` +
        `it needs a line "-- Column: <name> <TYPE>" for each, in their order`,
    );
  }
  return [...columns, ...added].map(([, name, type, size, comment]) =>
    column({ name: name as string, type: type as string, size: size ?? '', comment }, folder),
  );
}

function column(
  { name, type, size, comment }: { name: string; type: string; size: string; comment: string | undefined },
  folder: string,
): LakeColumn {
  const known = TYPES[type];
  if (known === undefined) {
    throw new PackagingError(
      `${folder}: the column ${name} has the type ${type}, for which resources/view-columns.ts knows no type of Athena's`,
    );
  }
  const exact = size.replaceAll(' ', '');
  return {
    name,
    hive: `${known.hive}${exact}`,
    presto: `${known.presto}${exact}`,
    ...(comment === undefined ? {} : { comment: comment.replaceAll("''", "'") }),
  };
}
