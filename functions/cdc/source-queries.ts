/**
 * What the platform asks a source database (PostgreSQL 15 and later), as text and the shape of its rows. Each query
 * answers one row unless said otherwise; LSNs and byte counts are decimal strings, because they pass 2^53.
 */

/** No parameters. The server as replication sees it. */
export const SERVER_QUERY = `
SELECT
  current_setting('server_version_num')::int AS version,
  current_setting('server_version') AS version_text,
  current_database() AS database,
  pg_is_in_recovery() AS standby,
  current_setting('wal_level') AS wal_level,
  current_setting('max_replication_slots')::int AS max_slots,
  (SELECT count(*)::int FROM pg_catalog.pg_replication_slots) AS used_slots,
  current_setting('max_wal_senders')::int AS max_senders,
  (SELECT count(*)::int FROM pg_catalog.pg_stat_replication) AS used_senders,
  EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'rds_superuser') AS rds`;

export type ServerRow = {
  version: number;
  version_text: string;
  database: string;
  /** In recovery: PostgreSQL 15 can't decode there. */
  standby: boolean;
  wal_level: string;
  max_slots: number;
  used_slots: number;
  max_senders: number;
  used_senders: number;
  /** Amazon RDS or Aurora, where the role rds_replication stands for the REPLICATION attribute. */
  rds: boolean;
};

/**
 * No parameters; not on a standby. Which database this is and where its log stands: the LSN starts again when the
 * identifier changes, and may fork when the timeline does.
 */
export const IDENTITY_QUERY = `
SELECT
  (SELECT system_identifier::text FROM pg_catalog.pg_control_system()) AS system_identifier,
  ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int AS timeline,
  (pg_current_wal_lsn() - '0/0'::pg_lsn)::text AS lsn,
  current_database() AS database`;

export type IdentityRow = { system_identifier: string; timeline: number; lsn: string; database: string };

/** $1 slot name. No row when there is no such slot. */
export const SLOT_QUERY = `
SELECT
  slot_name,
  plugin,
  database,
  active,
  active_pid,
  wal_status,
  (confirmed_flush_lsn - '0/0'::pg_lsn)::text AS confirmed_lsn,
  pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::text AS lag_bytes,
  pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::text AS retained_bytes,
  safe_wal_size::text AS safe_wal_bytes
FROM pg_catalog.pg_replication_slots
WHERE slot_name = $1`;

export type SlotRow = {
  slot_name: string;
  plugin: string | null;
  database: string | null;
  active: boolean;
  active_pid: number | null;
  /** reserved, extended, unreserved or lost; lost: the log it needs is gone and the tables must be snapshotted anew. */
  wal_status: string | null;
  confirmed_lsn: string | null;
  /** WAL written since the position that the connector confirmed. */
  lag_bytes: string | null;
  /** WAL that the server keeps for this slot. */
  retained_bytes: string | null;
  /** WAL that may still be written before the slot is lost; null without max_slot_wal_keep_size. */
  safe_wal_bytes: string | null;
};

/** $1 role name. No row when there is no such role. */
export const ROLE_QUERY = `
SELECT
  r.rolname AS name,
  r.rolcanlogin AS login,
  r.rolreplication AS replication,
  r.rolsuper AS superuser,
  r.rolbypassrls AS bypass_rls,
  EXISTS (
    SELECT FROM pg_catalog.pg_auth_members AS m
    JOIN pg_catalog.pg_roles AS g ON g.oid = m.roleid
    WHERE m.member = r.oid AND g.rolname = 'rds_replication'
  ) AS rds_replication,
  has_database_privilege(r.oid, current_database(), 'CONNECT') AS connect,
  ARRAY(
    SELECT n.nspname::text FROM pg_catalog.pg_namespace AS n WHERE has_schema_privilege(r.oid, n.oid, 'USAGE')
  ) AS schemas,
  COALESCE((
    SELECT json_agg(json_build_object('schema', n.nspname, 'table', c.relname, 'privilege', a.privilege_type))
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    CROSS JOIN aclexplode(c.relacl) AS a
    WHERE a.grantee = r.oid
  ), '[]') AS granted
FROM pg_catalog.pg_roles AS r
WHERE r.rolname = $1`;

export type RoleRow = {
  name: string;
  login: boolean;
  replication: boolean;
  superuser: boolean;
  bypass_rls: boolean;
  rds_replication: boolean;
  connect: boolean;
  /** Schemas that the role may use. */
  schemas: string[];
  /** Privileges on tables given to the role by name. */
  granted: { schema: string; table: string; privilege: string }[];
};

/** $1 publication name. No row when there is no such publication. */
export const PUBLICATION_QUERY = `
SELECT
  p.pubname AS name,
  p.puballtables AS all_tables,
  p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate AS all_operations,
  p.pubviaroot AS via_root,
  EXISTS (SELECT FROM pg_catalog.pg_publication_namespace AS s WHERE s.pnpubid = p.oid) AS whole_schemas,
  COALESCE((
    SELECT json_agg(json_build_object(
      'schema', n.nspname,
      'table', c.relname,
      'partial', t.prqual IS NOT NULL OR t.prattrs IS NOT NULL
    ))
    FROM pg_catalog.pg_publication_rel AS t
    JOIN pg_catalog.pg_class AS c ON c.oid = t.prrelid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE t.prpubid = p.oid
  ), '[]') AS tables
FROM pg_catalog.pg_publication AS p
WHERE p.pubname = $1`;

export type PublicationRow = {
  name: string;
  all_tables: boolean;
  /** Insert, update, delete and truncate are published. */
  all_operations: boolean;
  /** Changes of a partition are published as changes of its partitioned table. */
  via_root: boolean;
  whole_schemas: boolean;
  /** partial: it has a row filter or a column list. */
  tables: { schema: string; table: string; partial: boolean }[];
};

/** $1 schemas, $2 tables (text[] of equal length), $3 role name. One row a table asked for, found or not. */
export const TABLES_QUERY = `
SELECT
  w.schema,
  w.table,
  c.relkind::text AS kind,
  c.relpersistence::text AS persistence,
  c.relreplident::text AS replica_identity,
  COALESCE(c.relrowsecurity, false) AS row_security,
  COALESCE((
    SELECT json_agg(has_table_privilege(r.oid, c.oid, p.name) ORDER BY p.place)
    FROM pg_catalog.pg_roles AS r,
      unnest(ARRAY['SELECT', 'INSERT', 'UPDATE']) WITH ORDINALITY AS p (name, place)
    WHERE r.rolname = $3 AND c.oid IS NOT NULL
  ), '[false, false, false]') AS allowed,
  COALESCE((
    SELECT json_agg(json_build_object(
      'name', a.attname,
      'type', COALESCE(b.typname, t.typname),
      'generated', a.attgenerated <> '',
      'before_1582', CASE WHEN COALESCE(b.typname, t.typname) = 'date' THEN (
        SELECT bool_or(d < '1582-10-15') FROM pg_catalog.pg_stats AS s
        CROSS JOIN unnest(array_cat(s.most_common_vals::text::date[], s.histogram_bounds::text::date[])) AS d
        WHERE s.schemaname = w.schema AND s.tablename = w.table AND s.attname = a.attname
      ) END
    ) ORDER BY a.attnum)
    FROM pg_catalog.pg_attribute AS a
    JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_type AS b ON b.oid = t.typbasetype
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  ), '[]') AS columns,
  (
    SELECT json_build_object('columns', ${columnsOf('k.conkey')}, 'deferrable', k.condeferrable)
    FROM pg_catalog.pg_constraint AS k
    WHERE k.conrelid = c.oid AND k.contype = 'p'
  ) AS primary_key,
  (
    SELECT ${columnsOf('(i.indkey::int2[])[0:i.indnkeyatts - 1]')}
    FROM pg_catalog.pg_index AS i
    WHERE i.indrelid = c.oid AND i.indisreplident
  ) AS identity_index
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w (schema, "table", place)
LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = w.schema
LEFT JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = w.table
ORDER BY w.place`;

/** SQL for the names, in order, of the columns of table c whose numbers the array \`numbers\` holds. */
function columnsOf(numbers: string): string {
  return `(
      SELECT json_agg(a.attname ORDER BY p.place)
      FROM unnest(${numbers}) WITH ORDINALITY AS p (attnum, place)
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = p.attnum
    )`;
}

export type ColumnRow = {
  name: string;
  /** pg_type.typname of the column, or of its domain's base type: int4, _numeric (an array), timetz ... */
  type: string;
  generated: boolean;
  /** A date before 1582-10-15 in the planner's statistics; null for other types and for what was never analysed. */
  before_1582: boolean | null;
};

export type TableRow = {
  schema: string;
  table: string;
  /** pg_class.relkind: r table, p partitioned table, v view ...; null when there is no such table. */
  kind: string | null;
  /** pg_class.relpersistence: p permanent, u unlogged. */
  persistence: string | null;
  /** pg_class.relreplident: d default, f full, i index, n nothing. */
  replica_identity: string | null;
  row_security: boolean;
  /** Whether the replication role may SELECT, INSERT and UPDATE. */
  allowed: [boolean, boolean, boolean];
  columns: ColumnRow[];
  primary_key: { columns: string[]; deferrable: boolean } | null;
  /** Columns of the index of REPLICA IDENTITY USING INDEX. */
  identity_index: string[] | null;
};
