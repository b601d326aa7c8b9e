import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Deployment,
  type EngineTable,
  engineTable,
  glueDatabase,
  type Layer,
  lakeTable,
  TRANSACTION_TABLE,
  tableId,
} from '../functions/cdc/names.ts';
import type { Registry } from '../functions/cdc/registry.ts';
import type { Resource, StageContext, TemplatePart } from './generated.ts';
import { ref } from './intrinsics.ts';
import { PackagingError } from './packaging-error.ts';
import { columnsOf, type LakeColumn } from './view-columns.ts';

const SQL = fileURLToPath(new URL('../sql/', import.meta.url));
const ENGINE_TABLES: readonly EngineTable[] = [
  'landed',
  'quarantine',
  'bronze_schemas',
  'silver_truncations',
];

/** What the queries may be about. */
export type Lake = { deployment: Deployment; tables: ReadonlySet<string>; models: ReadonlySet<string> };

/** The named queries of sql/athena, and the views on gold of sql/gold. */
export function athena(context: StageContext): TemplatePart {
  const lake = lakeOf(context.registry, context.stage);
  const queries = filesIn('athena', '.sql').map((file) => {
    const text = readFileSync(join(SQL, 'athena', file), 'utf8');
    const name = file.slice(0, -'.sql'.length);
    return [`Query${pascal(name)}`, namedQuery(context.prefix, name, text, lake)] as const;
  });
  const views = [...lake.models]
    .filter((model) => filesIn(join('gold', model), 'view.sql').length > 0)
    .map((model) => [`View${pascal(model)}`, view(model, lake)] as const);
  return { Resources: Object.fromEntries([...queries, ...views]) };
}

export function lakeOf({ project, tables }: Registry, stage: string): Lake {
  const models = readdirSync(join(SQL, 'gold'), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  );
  return {
    deployment: { project, stage },
    tables: new Set([...tables.map(({ id }) => id), TRANSACTION_TABLE]),
    models: new Set(models.map(({ name }) => name).sort()),
  };
}

/**
 * A query's text as Athena runs it: {bronze:users}, {silver:sales.orders}, {gold:daily_sales} and {landed} become the
 * names of tables.
 * @throws PackagingError that names the file and a table that does not exist
 */
export function queryText(text: string, file: string, lake: Lake): string {
  return text.replace(
    /\{(?:([a-z]+):)?([\w.]+)\}/g,
    (placeholder, layer: string | undefined, name: string) => {
      const table = tableOf(layer, name, lake);
      if (table !== undefined) return table;
      throw new PackagingError(
        `${file} reads ${placeholder}, which this project does not have: tables.yml lists ` +
          `${[...lake.tables].join(', ')}; sql/gold has ${[...lake.models].join(', ')}. Change the query or remove it`,
      );
    },
  );
}

function tableOf(layer: string | undefined, name: string, lake: Lake): string | undefined {
  if (layer === undefined) {
    const engine = ENGINE_TABLES.find((table) => table === name);
    return engine && engineTable(lake.deployment, engine);
  }
  const known = layer === 'gold' ? lake.models.has(name) : lake.tables.has(tableId(name));
  const isLayer = layer === 'bronze' || layer === 'silver' || layer === 'gold';
  return known && isLayer ? lakeTable(lake.deployment, layer satisfies Layer, name) : undefined;
}

function namedQuery(prefix: string, name: string, text: string, lake: Lake): Resource {
  return {
    Type: 'AWS::Athena::NamedQuery',
    Properties: {
      Name: `${prefix}-${name.replaceAll('_', '-')}`,
      Description: headerOf(text, `sql/athena/${name}.sql`),
      Database: ref('LakeDatabase'),
      WorkGroup: ref('AthenaWorkgroup'),
      QueryString: queryText(text, `sql/athena/${name}.sql`, lake),
    },
  };
}

/** The comment that a file begins with, on one line. @throws PackagingError when there is none */
export function headerOf(text: string, file: string): string {
  const lines = text.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('--'));
  if (end < 1) throw new PackagingError(`${file} must begin with a comment that says what one row is`);
  return lines
    .slice(0, end)
    .map((line) => line.slice(2).trim())
    .join(' ');
}

/**
 * A view as Athena itself keeps it in the catalog: the statement and its columns in JSON, in base64, in a comment. Made
 * so, it needs no query at deployment, and may be there before the table is.
 */
function view(model: string, lake: Lake): Resource {
  const folder = join(SQL, 'gold', model);
  const text = readFileSync(join(folder, 'view.sql'), 'utf8');
  const columns = columnsOf(readFileSync(join(folder, 'create.sql'), 'utf8'), text, `sql/gold/${model}`);
  const table = lakeTable(lake.deployment, 'gold', model);
  const schema = glueDatabase(lake.deployment);
  const statement = {
    originalSql: text.slice(text.indexOf('SELECT')).replaceAll('{target}', `"${schema}"."${table}"`),
    catalog: 'awsdatacatalog',
    schema,
    columns: columns.map(({ name, presto: type }) => ({ name, type })),
  };
  return {
    Type: 'AWS::Glue::Table',
    Properties: {
      CatalogId: ref('AWS::AccountId'),
      DatabaseName: ref('LakeDatabase'),
      TableInput: {
        Name: `${table}_today`,
        Description: `${table}, with what depends on today`,
        TableType: 'VIRTUAL_VIEW',
        Parameters: { presto_view: 'true', comment: 'Presto View' },
        ViewOriginalText: `/* Presto View: ${Buffer.from(JSON.stringify(statement)).toString('base64')} */`,
        ViewExpandedText: '/* Presto View */',
        PartitionKeys: [],
        StorageDescriptor: { Columns: columns.map(glueColumn), Location: '', SerdeInfo: {} },
      },
    },
  };
}

function glueColumn({ name, hive, comment }: LakeColumn): { Name: string; Type: string; Comment?: string } {
  return { Name: name, Type: hive, ...(comment === undefined ? {} : { Comment: comment }) };
}

function filesIn(folder: string, ending: string): string[] {
  return readdirSync(join(SQL, folder))
    .filter((file) => file.endsWith(ending))
    .sort();
}

function pascal(name: string): string {
  return name
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}
