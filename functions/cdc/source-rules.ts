import type { PlatformTables } from './connector-config.ts';
import type { RegistryTable } from './registry.ts';
import type { ColumnRow, PublicationRow, RoleRow, ServerRow, SlotRow, TableRow } from './source-queries.ts';

/** What the rules must know of a registry entry. */
export type CapturedTable = Pick<RegistryTable, 'id' | 'schema' | 'table' | 'key' | 'reference'>;

/** Something about the source that capture can't live with (refuse) or that the lake can't show (warn). */
export type Finding = {
  severity: 'refuse' | 'warn';
  /** Stable name of the rule, such as `deferrable-primary-key`. */
  code: string;
  /** `<schema>.<table>`, or null when it is about the server, the role, the publication or the slot. */
  table: string | null;
  /** A sentence. */
  message: string;
  /** What to do about it, without a full stop: it may end with SQL. */
  remedy: string;
};

/** Everything that the rules look at, as the queries of source-queries.ts answer it; null where nothing was found. */
export type SourceCatalog = {
  server: ServerRow;
  slot: SlotRow | null;
  role: RoleRow | null;
  publication: PublicationRow | null;
  platform: PlatformTables;
  /** One row for each captured table and for those of the platform. */
  tables: TableRow[];
};

/** Columns that silver adds to a table's own, docs/architecture.md "Silver". */
const SILVER_COLUMNS = [
  'is_active',
  'deleted_at',
  'quality_flags',
  'source_updated_at',
  'processed_at',
  '_epoch',
  '_commit_lsn',
  '_lsn',
  '_tx_order',
  '_schema_id',
  '_batch',
];

/** Array types whose unchanged large value arrives as a plain null, without the placeholder (Debezium 3.7.0). */
const ARRAYS_WITHOUT_PLACEHOLDER = ['_numeric', '_timestamp'];

const OLDEST_VERSION = 150_000;
const TABLE_KINDS = ['r', 'p'];

/** `public.orders` of a row. */
export function rowId({ schema, table }: { schema: string; table: string }): string {
  return `${schema}.${table}`;
}

/**
 * Columns that must be the Kafka key of a table, or null where the source's primary key is right. REPLICA IDENTITY
 * USING INDEX sends only that index's columns with a DELETE: keyed by the primary key it would arrive as key 0.
 */
export function messageKey(table: CapturedTable, row: TableRow): string[] | null {
  const primary = row.primary_key?.columns ?? null;
  const wanted = table.key ?? row.identity_index ?? primary;
  return wanted === null || sameColumns(wanted, primary) ? null : wanted;
}

/** Whether one captured table can be captured, judged before anything is made. */
export function tableFindings(table: CapturedTable, row: TableRow | undefined): Finding[] {
  const found = finder(table.id);
  if (row === undefined || row.kind === null) {
    return [
      found(
        'refuse',
        'missing-table',
        'does not exist in the source',
        'create it, or take it out of tables.yml',
      ),
    ];
  }
  if (!TABLE_KINDS.includes(row.kind)) {
    return [
      found('refuse', 'not-a-table', 'is not a table; a view has no changes', 'capture the tables it reads'),
    ];
  }
  return [
    ...persistenceFindings(table, row),
    ...columnNameFindings(table, row),
    ...keyFindings(table, row),
    ...row.columns.flatMap((column) => columnFindings(table, row, column)),
  ];
}

function finder(table: string | null) {
  return (severity: Finding['severity'], code: string, what: string, remedy: string): Finding => ({
    severity,
    code,
    table,
    message: `${table === null ? what : `${table} ${what}`}.`,
    remedy: remedy.charAt(0).toUpperCase() + remedy.slice(1),
  });
}

function persistenceFindings(table: CapturedTable, row: TableRow): Finding[] {
  if (row.persistence === 'p') return [];
  return [
    finder(table.id)(
      'refuse',
      'not-logged',
      'is unlogged or temporary: PostgreSQL writes no changes of it to its log',
      `ALTER TABLE ${table.id} SET LOGGED`,
    ),
  ];
}

function columnNameFindings(table: CapturedTable, row: TableRow): Finding[] {
  const found = finder(table.id);
  const names = row.columns.map(({ name }) => name);
  const lower = names.map((name) => name.toLowerCase());
  const twins = names.filter((_, index) => lower.filter((name) => name === lower[index]).length > 1);
  const added = [...SILVER_COLUMNS, ...table.reference.flatMap(({ columns }) => Object.keys(columns))];
  const taken = names.filter((name) => added.includes(name.toLowerCase()));
  return [
    ...(twins.length === 0
      ? []
      : [
          found(
            'refuse',
            'columns-differ-by-case',
            `has columns that differ only by case: ${twins.join(', ')}; the lake's names know no case`,
            'rename all but one of them',
          ),
        ]),
    ...taken.map((name) =>
      found(
        'refuse',
        'column-name-taken',
        `has a column ${name}, a name that the silver table needs for a column of its own`,
        'rename the column in the source, or, where tables.yml adds it as a reference column, the reference',
      ),
    ),
  ];
}

function keyFindings(table: CapturedTable, row: TableRow): Finding[] {
  const found = finder(table.id);
  const full = `ALTER TABLE ${table.id} REPLICA IDENTITY FULL`;
  if (row.primary_key?.deferrable) {
    return [
      found(
        'refuse',
        'deferrable-primary-key',
        'has a deferrable primary key: two rows may hold one key within a transaction, and their order is lost',
        'drop the constraint and add it again as NOT DEFERRABLE',
      ),
    ];
  }
  if (row.replica_identity === 'n' || (row.replica_identity === 'd' && row.primary_key === null)) {
    return [
      found(
        'refuse',
        'no-replica-identity',
        'has no replica identity: once published, every UPDATE and DELETE of it would fail in the application',
        `add a primary key, or ${full}`,
      ),
    ];
  }
  return [
    ...(table.key === null ? [] : registryKeyFindings(table.key, table, row)),
    ...(row.primary_key === null && table.key === null && row.identity_index === null
      ? [
          found(
            'warn',
            'no-key',
            'has no primary key: silver keeps the history of its events, not the current rows',
            'add a primary key, or name the columns of a unique key in tables.yml',
          ),
        ]
      : []),
  ];
}

/** A key that tables.yml names must exist, and a DELETE must carry it. */
function registryKeyFindings(key: string[], table: CapturedTable, row: TableRow): Finding[] {
  const found = finder(table.id);
  const names = row.columns.map(({ name }) => name);
  const missing = key.filter((name) => !names.includes(name));
  if (missing.length > 0) {
    return [
      found(
        'refuse',
        'missing-key-column',
        `has no column ${missing.join(', ')}, which tables.yml names as its key`,
        'correct the key in tables.yml',
      ),
    ];
  }
  const sent = row.replica_identity === 'i' ? row.identity_index : (row.primary_key?.columns ?? []);
  if (row.replica_identity === 'f' || key.every((name) => sent?.includes(name))) return [];
  return [
    found(
      'refuse',
      'key-not-in-replica-identity',
      `is keyed by ${key.join(', ')} in tables.yml, but a DELETE carries only ${sent?.join(', ')}`,
      `ALTER TABLE ${table.id} REPLICA IDENTITY FULL, or take the key out of tables.yml`,
    ),
  ];
}

/** What the change stream can't carry of a column, measured on Debezium 3.7.0 and PostgreSQL 15. */
function columnFindings(table: CapturedTable, row: TableRow, column: ColumnRow): Finding[] {
  const warn = (code: string, what: string, remedy: string) =>
    finder(table.id)('warn', code, `column ${column.name} ${what}`, remedy);
  const findings: Finding[] = [];
  if (column.generated) {
    findings.push(
      warn(
        'generated-column',
        'is generated: PostgreSQL 15 publishes it in the snapshot only, later changes come without it',
        `derive it again in sql/silver/${table.table}.sql`,
      ),
    );
  }
  if (column.type.startsWith('_')) {
    findings.push(
      warn(
        'array',
        'is an array: one of more than one dimension arrives with its inner values null',
        'keep such values in json',
      ),
    );
  }
  if (column.type === '_numeric') {
    findings.push(
      warn('numeric-array', 'is a numeric array: NaN in it makes the whole array null', 'keep NaN out'),
    );
  }
  if (ARRAYS_WITHOUT_PLACEHOLDER.includes(column.type) && row.replica_identity !== 'f') {
    findings.push(
      warn(
        'ambiguous-unchanged-array',
        "is an array type whose large value, left unchanged by an UPDATE, can't be told from NULL",
        `ALTER TABLE ${table.id} REPLICA IDENTITY FULL`,
      ),
    );
  }
  if (column.type === 'timetz') {
    findings.push(
      warn('timetz', 'is a time with time zone: it arrives in UTC, its offset is lost', 'use timestamptz'),
    );
  }
  if (column.before_1582) {
    findings.push(
      warn(
        'date-before-1582',
        'holds dates before 1582-10-15: the snapshot shifts them by the calendar reform, later changes are right',
        'update these rows once after the snapshot',
      ),
    );
  }
  return findings;
}

/** Whether the server can decode for one more client, or goes on for the slot that is there. */
export function serverFindings(server: ServerRow, slot: SlotRow | null): Finding[] {
  const refuse = (code: string, what: string, remedy: string) => finder(null)('refuse', code, what, remedy);
  const set = (name: string, value: string) =>
    server.rds
      ? `set ${name} = ${value} in the instance's parameter group and reboot it`
      : `ALTER SYSTEM SET ${name} = ${value}, then restart PostgreSQL`;
  const findings: Finding[] = [];
  if (server.version < OLDEST_VERSION) {
    findings.push(
      refuse('version', `The source runs PostgreSQL ${server.version_text}`, 'upgrade it to 15 or later'),
    );
  }
  if (server.standby) {
    findings.push(refuse('standby', 'The source is a standby', "use the primary's address"));
  }
  if (server.wal_level !== 'logical') {
    findings.push(
      refuse(
        'wal-level',
        `wal_level is ${server.wal_level}: the log does not hold what logical decoding needs`,
        server.rds ? set('rds.logical_replication', '1') : set('wal_level', 'logical'),
      ),
    );
  }
  if (slot === null && server.used_slots >= server.max_slots) {
    findings.push(
      refuse(
        'no-free-slot',
        `All ${server.max_slots} replication slots are taken`,
        `drop one that nobody uses (pg_replication_slots), or ${set('max_replication_slots', String(server.max_slots + 5))}`,
      ),
    );
  }
  if (!slot?.active && server.used_senders >= server.max_senders) {
    findings.push(
      refuse(
        'no-free-wal-sender',
        `All ${server.max_senders} WAL senders are busy`,
        set('max_wal_senders', String(server.max_senders + 5)),
      ),
    );
  }
  return [...findings, ...(slot === null ? [] : slotFindings(slot, server))];
}

function slotFindings(slot: SlotRow, server: ServerRow): Finding[] {
  const found = finder(null);
  const name = `The replication slot ${slot.slot_name}`;
  if (slot.plugin !== 'pgoutput' || slot.database !== server.database) {
    return [
      found(
        'refuse',
        'foreign-slot',
        `${name} decodes ${slot.database ?? 'no database'} with ${slot.plugin ?? 'no plugin'}, not ${server.database} with pgoutput`,
        'drop it if nobody uses it, or deploy under another project or stage name',
      ),
    ];
  }
  if (slot.wal_status === 'lost') {
    return [
      // No refusal: the connector of a higher epoch, which the same deployment puts next, drops it.
      found(
        'warn',
        'slot-lost',
        `${name} has lost log that was not read yet: changes are missing`,
        'raise epoch in tables.yml and deploy, which drops it and snapshots all tables anew',
      ),
    ];
  }
  if (slot.wal_status !== 'unreserved') return [];
  return [
    found(
      'warn',
      'slot-at-risk',
      `${name} is behind by more than max_slot_wal_keep_size and may be lost at the next checkpoint`,
      'see that the connector runs, and raise max_slot_wal_keep_size',
    ),
  ];
}

/** Whether the replication role may do all it must, and sees every row. */
export function roleFindings(name: string, catalog: SourceCatalog): Finding[] {
  const { role, server, platform, tables } = catalog;
  const prepare = 'run the source function with the action prepare';
  const refuse = (code: string, what: string, remedy: string = prepare) =>
    finder(null)('refuse', code, what, remedy);
  if (role === null) return [refuse('no-role', `The replication role ${name} does not exist`)];
  const findings: Finding[] = [];
  if (!role.login) findings.push(refuse('role-login', `The role ${name} may not log in`));
  if (!mayReplicate(role, server))
    findings.push(refuse('role-replication', `The role ${name} may not replicate`));
  if (!role.connect) {
    findings.push(refuse('role-connect', `The role ${name} may not connect to ${server.database}`));
  }
  if (role.superuser) {
    findings.push(
      finder(null)(
        'warn',
        'role-superuser',
        `The role ${name} is a superuser, far more than capture needs`,
        `ALTER ROLE ${name} NOSUPERUSER`,
      ),
    );
  }
  const absent = Object.values(platform).filter(
    (id) => !tables.some((row) => row.kind !== null && rowId(row) === id),
  );
  return [
    ...findings,
    ...absent.map((id) => refuse('no-platform-table', `The table ${id} does not exist`)),
    ...tables.flatMap((row) => accessFindings(role, row, platform)),
  ];
}

/** Whether the role has the right to stream the log. */
export function mayReplicate(role: RoleRow, server: ServerRow): boolean {
  return role.superuser || role.replication || (server.rds && role.rds_replication);
}

function accessFindings(role: RoleRow, row: TableRow, platform: PlatformTables): Finding[] {
  if (row.kind === null) return [];
  const id = rowId(row);
  const found = finder(id);
  const missing = missingPrivileges(row, platform);
  const findings: Finding[] = [];
  if (!role.schemas.includes(row.schema)) missing.unshift(`USAGE on schema ${row.schema}`);
  if (missing.length > 0) {
    findings.push(
      found(
        'refuse',
        'role-privileges',
        `is closed to the role ${role.name}: it lacks ${missing.join(', ')}`,
        'run the source function with the action prepare',
      ),
    );
  }
  if (row.row_security && !role.bypass_rls && !role.superuser) {
    findings.push(
      found(
        'refuse',
        'row-security',
        `has row-level security: the snapshot would miss the rows that ${role.name} may not see`,
        `ALTER ROLE ${role.name} BYPASSRLS`,
      ),
    );
  }
  return findings;
}

/** Privileges that the role needs on a table: SELECT to snapshot it, more on the platform's own. */
export function neededPrivileges(row: { schema: string; table: string }, platform: PlatformTables): string[] {
  if (rowId(row) === platform.signal) return ['SELECT', 'INSERT'];
  if (rowId(row) === platform.heartbeat) return ['SELECT', 'UPDATE'];
  return ['SELECT'];
}

/** Those of the needed privileges that the role does not have, by name or through another role. */
export function missingPrivileges(row: TableRow, platform: PlatformTables): string[] {
  const held = ['SELECT', 'INSERT', 'UPDATE'].filter((_, index) => row.allowed[index]);
  return neededPrivileges(row, platform).filter((privilege) => !held.includes(privilege));
}

/** Whether the publication publishes exactly the captured tables and the platform's own, whole. */
export function publicationFindings(name: string, catalog: SourceCatalog): Finding[] {
  const { publication, tables } = catalog;
  const refuse = (code: string, what: string, remedy: string) => finder(null)('refuse', code, what, remedy);
  const prepare = 'run the source function with the action prepare';
  if (publication === null)
    return [refuse('no-publication', `The publication ${name} does not exist`, prepare)];
  if (publication.all_tables || publication.whole_schemas) {
    return [
      refuse(
        'publication-too-wide',
        `The publication ${name} publishes whole schemas, so that an UPDATE of any table without a key fails`,
        `DROP PUBLICATION ${name}, then ${prepare}`,
      ),
    ];
  }
  if (publicationIsExact(publication, tables)) return [];
  return [refuse('publication-differs', `The publication ${name} does not match tables.yml`, prepare)];
}

/** Same tables, no row filter, no column list, all operations. */
export function publicationIsExact(
  publication: PublicationRow,
  tables: readonly { schema: string; table: string }[],
): boolean {
  const published = publication.tables.map(rowId);
  return (
    publication.all_operations &&
    publication.via_root &&
    publication.tables.every(({ partial }) => !partial) &&
    published.length === tables.length &&
    tables.every((table) => published.includes(rowId(table)))
  );
}

/** All findings of a prepared source, those that refuse first. */
export function sourceFindings(
  tables: readonly CapturedTable[],
  names: { role: string; publication: string },
  catalog: SourceCatalog,
): Finding[] {
  const findings = [
    ...serverFindings(catalog.server, catalog.slot),
    ...capturedFindings(tables, catalog),
    ...roleFindings(names.role, catalog),
    ...publicationFindings(names.publication, catalog),
  ];
  return findings.sort((a, b) => a.severity.localeCompare(b.severity));
}

/** Findings about the captured tables alone. */
export function capturedFindings(tables: readonly CapturedTable[], catalog: SourceCatalog): Finding[] {
  return tables.flatMap((table) =>
    tableFindings(
      table,
      catalog.tables.find((row) => rowId(row) === table.id),
    ),
  );
}

/** Key columns of the tables whose Kafka key must not be the primary key: `{"public.orders": ["number"]}`. */
export function messageKeys(
  tables: readonly CapturedTable[],
  catalog: SourceCatalog,
): Record<string, string[]> {
  return Object.fromEntries(
    tables.flatMap((table) => {
      const row = catalog.tables.find((candidate) => rowId(candidate) === table.id);
      const key = row === undefined ? null : messageKey(table, row);
      return key === null ? [] : [[table.id, key]];
    }),
  );
}

function sameColumns(a: readonly string[], b: readonly string[] | null): boolean {
  return b !== null && a.length === b.length && a.every((name, index) => name === b[index]);
}
