import type pg from 'pg';
import { FORMER_PLATFORM_TABLES, type PlatformTables } from '../cdc/connector-config.ts';
import { RESERVED_SCHEMA, splitTableId } from '../cdc/names.ts';
import {
  IDENTITY_QUERY,
  type IdentityRow,
  PUBLICATION_QUERY,
  type PublicationRow,
  ROLE_QUERY,
  type RoleRow,
  SERVER_QUERY,
  type ServerRow,
  SLOT_QUERY,
  type SlotRow,
  TABLES_QUERY,
  type TableRow,
} from '../cdc/source-queries.ts';
import type { CapturedTable, SourceCatalog } from '../cdc/source-rules.ts';

/** What a source is prepared for. */
export type SourceSettings = {
  tables: readonly CapturedTable[];
  /** The role that Debezium logs in as; the password never leaves this process in clear text. */
  role: { name: string; password: string };
  publication: string;
  slot: string;
  platform: PlatformTables;
};

/** Reads everything that the rules look at. */
export async function readCatalog(client: pg.ClientBase, settings: SourceSettings): Promise<SourceCatalog> {
  const wanted = [...settings.tables, ...Object.values(settings.platform).map(splitTableId)];
  const tables = await client.query<TableRow>(TABLES_QUERY, [
    wanted.map(({ schema }) => schema),
    wanted.map(({ table }) => table),
    settings.role.name,
  ]);
  return {
    server: await onlyRow<ServerRow>(client, SERVER_QUERY),
    slot: await firstRow<SlotRow>(client, SLOT_QUERY, settings.slot),
    role: await firstRow<RoleRow>(client, ROLE_QUERY, settings.role.name),
    publication: await firstRow<PublicationRow>(client, PUBLICATION_QUERY, settings.publication),
    platform: settings.platform,
    tables: tables.rows,
  };
}

/** $1 schema, $2 tables of one's own, $3 former tables, $4 one's own publication. */
const OTHERS_QUERY = `
SELECT FROM pg_catalog.pg_class AS c
WHERE relnamespace = to_regnamespace($1) AND relkind NOT IN ('i', 'I', 't') AND relname <> ALL ($2::text[])
AND (relname <> ALL ($3::text[]) OR EXISTS (
  SELECT FROM pg_catalog.pg_publication_rel
  JOIN pg_catalog.pg_publication AS publication ON publication.oid = prpubid
  WHERE prrelid = c.oid AND pubname <> $4
))`;

/** Whether the platform's schema holds what another deployment uses, too. */
export async function othersCapture(
  client: pg.ClientBase,
  { publication, platform }: Pick<SourceSettings, 'publication' | 'platform'>,
): Promise<boolean> {
  const names = (tables: PlatformTables) => Object.values(tables).map((id) => splitTableId(id).table);
  const { rows } = await client.query(OTHERS_QUERY, [
    RESERVED_SCHEMA,
    names(platform),
    names(FORMER_PLATFORM_TABLES),
    publication,
  ]);
  return rows.length > 0;
}

/** Which database this is and where its log stands. */
export function readIdentity(client: pg.ClientBase): Promise<IdentityRow> {
  return onlyRow<IdentityRow>(client, IDENTITY_QUERY);
}

async function onlyRow<Row extends pg.QueryResultRow>(client: pg.ClientBase, query: string): Promise<Row> {
  const { rows } = await client.query<Row>(query);
  return rows[0] as Row;
}

async function firstRow<Row extends pg.QueryResultRow>(
  client: pg.ClientBase,
  query: string,
  name: string,
): Promise<Row | null> {
  const { rows } = await client.query<Row>(query, [name]);
  return rows[0] ?? null;
}
