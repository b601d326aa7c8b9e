import { describe, expect, it } from '@jest/globals';
import type {
  ColumnRow,
  RoleRow,
  ServerRow,
  SlotRow,
  TableRow,
} from '../../../../functions/cdc/source-queries.ts';
import {
  type CapturedTable,
  messageKey,
  missingPrivileges,
  publicationFindings,
  publicationIsExact,
  roleFindings,
  type SourceCatalog,
  serverFindings,
  sourceFindings,
  tableFindings,
} from '../../../../functions/cdc/source-rules.ts';

const orders: CapturedTable = {
  id: 'public.orders',
  schema: 'public',
  table: 'orders',
  key: null,
  reference: [{ table: 'public.users', on: { user_id: 'id' }, columns: { user_name: 'name' } }],
};

const column = (name: string, type = 'text', more: Partial<ColumnRow> = {}): ColumnRow => ({
  name,
  type,
  generated: false,
  before_1582: null,
  ...more,
});

const row = (more: Partial<TableRow> = {}): TableRow => ({
  schema: 'public',
  table: 'orders',
  kind: 'r',
  persistence: 'p',
  replica_identity: 'd',
  row_security: false,
  allowed: [true, false, false],
  columns: [column('id', 'int8'), column('number')],
  primary_key: { columns: ['id'], deferrable: false },
  identity_index: null,
  ...more,
});

const server: ServerRow = {
  version: 150_018,
  version_text: '15.18',
  database: 'shop',
  standby: false,
  wal_level: 'logical',
  max_slots: 10,
  used_slots: 1,
  max_senders: 10,
  used_senders: 1,
  rds: false,
};

const slot: SlotRow = {
  slot_name: 'cdc',
  plugin: 'pgoutput',
  database: 'shop',
  active: true,
  active_pid: 1,
  wal_status: 'reserved',
  confirmed_lsn: '1',
  lag_bytes: '0',
  retained_bytes: '0',
  safe_wal_bytes: null,
};

const role: RoleRow = {
  name: 'replicator',
  login: true,
  replication: true,
  superuser: false,
  bypass_rls: false,
  rds_replication: false,
  connect: true,
  schemas: ['public', 'debezium'],
  granted: [],
};

const platform = [
  row({ schema: 'debezium', table: 'own_signal', allowed: [true, true, false] }),
  row({ schema: 'debezium', table: 'own_heartbeat', allowed: [true, false, true] }),
];

const ownTables = { signal: 'debezium.own_signal', heartbeat: 'debezium.own_heartbeat' };

const catalog = (more: Partial<SourceCatalog> = {}): SourceCatalog => ({
  server,
  slot,
  role,
  platform: ownTables,
  tables: [row(), ...platform],
  publication: {
    name: 'cdc',
    all_tables: false,
    all_operations: true,
    via_root: true,
    whole_schemas: false,
    tables: [
      { schema: 'public', table: 'orders', partial: false },
      { schema: 'debezium', table: 'own_signal', partial: false },
      { schema: 'debezium', table: 'own_heartbeat', partial: false },
    ],
  },
  ...more,
});

const names = { role: 'replicator', publication: 'cdc' };
const codes = (findings: { code: string }[]) => findings.map(({ code }) => code);
const codesOf = (more: Partial<TableRow>, table = orders) => codes(tableFindings(table, row(more)));

describe('a captured table', () => {
  it('passes with a plain primary key', () => {
    expect(tableFindings(orders, row())).toEqual([]);
  });

  it('is refused by name, with a remedy', () => {
    expect(tableFindings(orders, row({ kind: null }))).toEqual([
      {
        severity: 'refuse',
        code: 'missing-table',
        table: 'public.orders',
        message: 'public.orders does not exist in the source.',
        remedy: 'Create it, or take it out of tables.yml',
      },
    ]);
    expect(codes(tableFindings(orders, undefined))).toEqual(['missing-table']);
  });

  it('is refused where the lake could not be right', () => {
    expect(codesOf({ kind: 'v' })).toEqual(['not-a-table']);
    expect(codesOf({ persistence: 'u' })).toEqual(['not-logged']);
    expect(codesOf({ primary_key: { columns: ['id'], deferrable: true } })).toEqual([
      'deferrable-primary-key',
    ]);
    expect(codesOf({ columns: [column('id'), column('Note'), column('note')] })).toEqual([
      'columns-differ-by-case',
    ]);
    expect(codesOf({ columns: [column('id'), column('IS_ACTIVE')] })).toEqual(['column-name-taken']);
    expect(codesOf({ columns: [column('id'), column('user_name')] })).toEqual(['column-name-taken']);
  });

  it('is refused where publishing it would break UPDATE in the application', () => {
    expect(codesOf({ replica_identity: 'n' })).toEqual(['no-replica-identity']);
    expect(codesOf({ primary_key: null })).toEqual(['no-replica-identity']);
    expect(codesOf({ primary_key: null, replica_identity: 'f' })).toEqual(['no-key']);
  });

  it('is warned of for what the stream does not carry', () => {
    expect(codesOf({ columns: [column('total', 'int4', { generated: true })] })).toEqual([
      'generated-column',
    ]);
    expect(codesOf({ columns: [column('at', 'timetz')] })).toEqual(['timetz']);
    expect(codesOf({ columns: [column('tags', '_text')] })).toEqual(['array']);
    expect(codesOf({ columns: [column('born', 'date', { before_1582: true })] })).toEqual([
      'date-before-1582',
    ]);
    expect(codesOf({ columns: [column('born', 'date', { before_1582: false })] })).toEqual([]);
  });

  it('needs a full replica identity only for arrays whose unchanged value arrives as null', () => {
    const sums = [column('sums', '_numeric'), column('times', '_timestamp'), column('numbers', '_int4')];
    expect(codesOf({ columns: sums })).toEqual([
      'array',
      'numeric-array',
      'ambiguous-unchanged-array',
      'array',
      'ambiguous-unchanged-array',
      'array',
    ]);
    expect(codesOf({ columns: sums, replica_identity: 'f' })).not.toContain('ambiguous-unchanged-array');
  });
});

describe('the Kafka key', () => {
  it('is the primary key by itself', () => {
    expect(messageKey(orders, row())).toBeNull();
    expect(messageKey({ ...orders, key: ['id'] }, row())).toBeNull();
    expect(messageKey(orders, row({ primary_key: null, replica_identity: 'f' }))).toBeNull();
  });

  it('is what a DELETE carries where the replica identity is another index', () => {
    const indexed = row({ replica_identity: 'i', identity_index: ['number'] });
    expect(messageKey(orders, indexed)).toEqual(['number']);
    expect(messageKey(orders, row({ replica_identity: 'i', identity_index: ['id'] }))).toBeNull();
  });

  it('is what tables.yml says, if a DELETE carries it', () => {
    const keyed = { ...orders, key: ['number'] };
    expect(messageKey(keyed, row())).toEqual(['number']);
    expect(codesOf({}, keyed)).toEqual(['key-not-in-replica-identity']);
    expect(codesOf({ replica_identity: 'f' }, keyed)).toEqual([]);
    expect(codesOf({ replica_identity: 'i', identity_index: ['number'] }, keyed)).toEqual([]);
    expect(codesOf({}, { ...orders, key: ['nmber'] })).toEqual(['missing-key-column']);
  });
});

describe('the server', () => {
  it('passes while the connector runs on the last slot', () => {
    expect(serverFindings({ ...server, used_slots: 10, used_senders: 10 }, slot)).toEqual([]);
  });

  it('is refused where it can not decode for one more', () => {
    const lacking = {
      ...server,
      version: 140_000,
      standby: true,
      wal_level: 'replica',
      used_slots: 10,
      used_senders: 10,
    };
    expect(codes(serverFindings(lacking, null))).toEqual([
      'version',
      'standby',
      'wal-level',
      'no-free-slot',
      'no-free-wal-sender',
    ]);
  });

  it('gets the remedy of where it runs', () => {
    const [own] = serverFindings({ ...server, wal_level: 'replica' }, null);
    const [rds] = serverFindings({ ...server, wal_level: 'replica', rds: true }, null);
    expect(own?.remedy).toBe('ALTER SYSTEM SET wal_level = logical, then restart PostgreSQL');
    expect(rds?.remedy).toBe(
      "Set rds.logical_replication = 1 in the instance's parameter group and reboot it",
    );
  });

  it('tells of a slot that is foreign, lost or about to be', () => {
    expect(codes(serverFindings(server, { ...slot, database: 'other' }))).toEqual(['foreign-slot']);
    expect(codes(serverFindings(server, { ...slot, plugin: 'wal2json' }))).toEqual(['foreign-slot']);
    expect(serverFindings(server, { ...slot, wal_status: 'lost' })).toMatchObject([
      { code: 'slot-lost', severity: 'warn' },
    ]);
    expect(serverFindings(server, { ...slot, wal_status: 'unreserved' })).toMatchObject([
      { code: 'slot-at-risk', severity: 'warn' },
    ]);
  });
});

describe('the replication role', () => {
  it('passes with exactly what it needs', () => {
    expect(roleFindings('replicator', catalog())).toEqual([]);
  });

  it('replicates on RDS through the role rds_replication', () => {
    const granted = { ...role, replication: false, rds_replication: true };
    expect(roleFindings('replicator', catalog({ role: granted, server: { ...server, rds: true } }))).toEqual(
      [],
    );
    expect(codes(roleFindings('replicator', catalog({ role: granted })))).toEqual(['role-replication']);
  });

  it('is refused for each right that it lacks', () => {
    const powerless = { ...role, login: false, replication: false, connect: false, schemas: ['debezium'] };
    const tables = [row({ allowed: [false, false, false] }), ...platform];
    const findings = roleFindings('replicator', catalog({ role: powerless, tables }));
    expect(codes(findings)).toEqual(['role-login', 'role-replication', 'role-connect', 'role-privileges']);
    expect(findings[3]?.message).toBe(
      'public.orders is closed to the role replicator: it lacks USAGE on schema public, SELECT.',
    );
  });

  it('must see every row', () => {
    const tables = [row({ row_security: true }), ...platform];
    expect(codes(roleFindings('replicator', catalog({ tables })))).toEqual(['row-security']);
    expect(roleFindings('replicator', catalog({ tables, role: { ...role, bypass_rls: true } }))).toEqual([]);
  });

  it('needs to write to the signal and heartbeat tables only', () => {
    const none = { allowed: [false, false, false] } satisfies Partial<TableRow>;
    const missing = (table: Partial<TableRow>) => missingPrivileges(row({ ...table, ...none }), ownTables);
    expect(missing({})).toEqual(['SELECT']);
    expect(missing(platform[0] as TableRow)).toEqual(['SELECT', 'INSERT']);
    expect(missing(platform[1] as TableRow)).toEqual(['SELECT', 'UPDATE']);
    expect(missing({ schema: 'debezium', table: 'others_signal' })).toEqual(['SELECT']);
  });
});

describe('the publication', () => {
  const exact = catalog().publication as NonNullable<SourceCatalog['publication']>;

  it('is exact only with all tables, all operations, whole rows', () => {
    const { tables } = catalog();
    expect(publicationIsExact(exact, tables)).toBe(true);
    expect(publicationIsExact({ ...exact, all_operations: false }, tables)).toBe(false);
    expect(publicationIsExact({ ...exact, via_root: false }, tables)).toBe(false);
    expect(publicationIsExact({ ...exact, tables: exact.tables.slice(1) }, tables)).toBe(false);
    expect(publicationIsExact(exact, tables.slice(1))).toBe(false);
    const filtered = exact.tables.map((table) => ({ ...table, partial: true }));
    expect(publicationIsExact({ ...exact, tables: filtered }, tables)).toBe(false);
  });

  it('is refused when it publishes more than it should', () => {
    const wide = { ...exact, all_tables: true };
    expect(codes(publicationFindings('cdc', catalog({ publication: wide })))).toEqual([
      'publication-too-wide',
    ]);
  });
});

describe('all findings', () => {
  it('are none for a prepared source', () => {
    expect(sourceFindings([orders], names, catalog())).toEqual([]);
  });

  it('name those that refuse first', () => {
    const tables = [row({ columns: [column('at', 'timetz')] }), ...platform];
    const findings = sourceFindings([orders], names, catalog({ tables, publication: null }));
    expect(findings.map(({ severity }) => severity)).toEqual(['refuse', 'warn']);
  });
});
