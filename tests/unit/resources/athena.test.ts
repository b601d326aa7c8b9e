import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { athena, headerOf, lakeOf, queryText } from '../../../resources/athena.ts';
import { columnsOf } from '../../../resources/view-columns.ts';
import { deployedRegistry, registryOf, resourceOf, stageContext } from './stage-context.ts';

const LAKE = lakeOf(deployedRegistry(), 'dev');

describe('a named query', () => {
  const part = athena(stageContext('dev'));

  it('exists for each file, reads tables of this deployment and says what it is for', () => {
    const queries = Object.values(part.Resources ?? {}).filter(
      ({ Type }) => Type === 'AWS::Athena::NamedQuery',
    );
    expect(queries).toHaveLength(readdirSync('sql/athena').filter((file) => file.endsWith('.sql')).length);
    for (const { Properties } of queries) {
      expect(Properties['Name']).toMatch(/^cdc-demo-dev-[a-z-]+$/);
      expect(String(Properties['Description']).length).toBeGreaterThan(40);
      expect(String(Properties['Description']).length).toBeLessThanOrEqual(1024);
      expect(Properties['QueryString']).not.toMatch(/\{[a-z]/);
      expect(Properties['QueryString']).toMatch(/FROM "?cdc_demo_dev_/);
    }
  });

  it('names tables as the lake does', () => {
    const text = 'SELECT 1 FROM {bronze:users}, {silver:sales.orders}, {gold:daily_sales}, "{landed}$files"';
    const lake = { ...LAKE, tables: new Set(['public.users', 'sales.orders']) };
    expect(queryText(text, 'x.sql', lake)).toBe(
      'SELECT 1 FROM cdc_demo_dev_bronze_users, cdc_demo_dev_silver_sales__orders, ' +
        'cdc_demo_dev_gold_daily_sales, "cdc_demo_dev_landed$files"',
    );
  });

  it.each(['{bronze:invoices}', '{gold:nothing}', '{copper:users}', '{lost}'])(
    'that reads %s is refused with its file and what there is',
    (placeholder) => {
      const read = () => queryText(`SELECT * FROM ${placeholder}`, 'sql/athena/x.sql', LAKE);
      expect(read).toThrow(`sql/athena/x.sql reads ${placeholder}`);
      expect(read).toThrow('public.users, public.products, public.orders');
    },
  );

  it('of a table that the registry no longer lists stops the packaging', () => {
    expect(() => athena(stageContext('dev', {}, registryOf(2)))).toThrow('{silver:users}');
  });

  it('without a comment is refused', () => {
    expect(() => headerOf('SELECT 1', 'sql/athena/x.sql')).toThrow('must begin with a comment');
  });

  it('about the past asks Iceberg for it in the words of Athena', () => {
    expect(resourceOf(part, 'QueryTimeTravel').Properties['QueryString']).toContain(
      "FROM cdc_demo_dev_silver_orders FOR TIMESTAMP AS OF (CURRENT_TIMESTAMP - INTERVAL '1' DAY)",
    );
    expect(resourceOf(part, 'QuerySnapshots').Properties['QueryString']).toContain(
      'FROM "cdc_demo_dev_silver_orders$snapshots"',
    );
  });
});

describe('a view on gold', () => {
  const { TableInput } = resourceOf(athena(stageContext('dev')), 'ViewUserAnalytics').Properties as {
    // biome-ignore lint/suspicious/noExplicitAny: a template's properties are as deep as CloudFormation's.
    TableInput: any;
  };

  it('is one for Athena: a statement and its columns, in the comment where Athena looks', () => {
    expect(TableInput.Name).toBe('cdc_demo_dev_gold_user_analytics_today');
    expect(TableInput.Parameters.presto_view).toBe('true');
    const [, encoded] = /^\/\* Presto View: (\S+) \*\/$/.exec(TableInput.ViewOriginalText) ?? [];
    const statement = JSON.parse(Buffer.from(encoded as string, 'base64').toString());
    expect(statement.originalSql).toMatch(/^SELECT/);
    expect(statement.originalSql).toContain('FROM "cdc_demo_dev"."cdc_demo_dev_gold_user_analytics" AS');
    expect(statement).toMatchObject({ catalog: 'awsdatacatalog', schema: 'cdc_demo_dev' });
    expect(statement.columns).toHaveLength(TableInput.StorageDescriptor.Columns.length);
    expect(statement.columns.at(-1)).toEqual({ name: 'days_since_last_order', type: 'bigint' });
  });

  it('has every column of its table, in the order in which SELECT * gives them', () => {
    const create = readFileSync('sql/gold/user_analytics/create.sql', 'utf8');
    const declared = [...create.matchAll(/^ {4}(\w+) [A-Z]+/gm)].flatMap(([, name]) =>
      name === 'COMMENT' ? [] : [name],
    );
    const columns = TableInput.StorageDescriptor.Columns.map(({ Name }: { Name: string }) => Name);
    expect(columns).toEqual([...declared, 'days_since_last_order']);
  });
});

describe("a view's columns", () => {
  const create = [
    'CREATE TABLE IF NOT EXISTS {target} (',
    "    id BIGINT NOT NULL COMMENT 'The user''s number',",
    '    total DECIMAL(18, 2) NOT NULL',
    "    COMMENT 'What is too long for a line',",
    '    at TIMESTAMP',
    ')',
  ].join('\n');

  it('have the types of both: the catalog and Athena', () => {
    const view = '-- Column: days BIGINT\nSELECT\n    t.*,\n    f(t.at) AS days\nFROM {target} AS t\n';
    expect(columnsOf(create, view, 'sql/gold/x')).toEqual([
      { name: 'id', hive: 'bigint', presto: 'bigint', comment: "The user's number" },
      {
        name: 'total',
        hive: 'decimal(18,2)',
        presto: 'decimal(18,2)',
        comment: 'What is too long for a line',
      },
      { name: 'at', hive: 'timestamp', presto: 'timestamp(6) with time zone' },
      { name: 'days', hive: 'bigint', presto: 'bigint' },
    ]);
  });

  it('must be declared as they are selected', () => {
    const view = 'SELECT\n    t.*,\n    f(t.at) AS days\nFROM {target} AS t\n';
    expect(() => columnsOf(create, view, 'sql/gold/x')).toThrow(
      'sql/gold/x/view.sql selects days but its header declares none',
    );
  });

  it('of a type that nobody has mapped are refused by name', () => {
    const odd = 'CREATE TABLE t (\n    shape GEOMETRY\n)';
    expect(() => columnsOf(odd, 'SELECT t.*\nFROM {target} AS t', 'sql/gold/x')).toThrow(
      'the column shape has the type GEOMETRY',
    );
  });
});
