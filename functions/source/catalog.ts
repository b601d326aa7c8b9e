import type pg from 'pg';
import { SIGNAL_TABLE } from '../cdc/connector-config.ts';
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
import { type CapturedTable, platformTables, type SourceCatalog } from '../cdc/source-rules.ts';

/** What a source is prepared for. */
export type SourceSettings = {
  tables: readonly CapturedTable[];
  /** The role that Debezium logs in as; the password never leaves this process in clear text. */
  role: { name: string; password: string };
  publication: string;
  slot: string;
};

/** Reads everything that the rules look at. */
export async function readCatalog(client: pg.ClientBase, settings: SourceSettings): Promise<SourceCatalog> {
  const wanted = [...settings.tables, ...platformTables()];
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
    tables: tables.rows,
  };
}

const OTHERS_QUERY = `
SELECT pubname FROM pg_catalog.pg_publication_rel
JOIN pg_catalog.pg_publication AS publication ON publication.oid = prpubid
WHERE pubname <> $1 AND prrelid = to_regclass($2)`;

/** Whether another deployment captures from this database, too: the signal table is in its publication. */
export async function othersCapture(
  client: pg.ClientBase,
  { publication }: Pick<SourceSettings, 'publication'>,
): Promise<boolean> {
  const { rows } = await client.query(OTHERS_QUERY, [publication, SIGNAL_TABLE]);
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
