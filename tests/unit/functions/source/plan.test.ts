import { describe, expect, it } from '@jest/globals';
import type { RoleRow, ServerRow, TableRow } from '../../../../functions/cdc/source-queries.ts';
import type { SourceCatalog } from '../../../../functions/cdc/source-rules.ts';
import type { SourceSettings } from '../../../../functions/source/catalog.ts';
import { ownerScript, preparationSteps, removalSteps } from '../../../../functions/source/plan.ts';

const wicked = 'a"b$do$;--';
const settings: SourceSettings = {
  tables: [],
  role: { name: wicked, password: 'p' },
  publication: wicked,
  slot: 'cdc',
  platform: { signal: 'debezium.cdc_signal', heartbeat: 'debezium.cdc_heartbeat' },
};

const table = (schema: string, name: string, kind: string | null): TableRow => ({
  schema,
  table: name,
  kind,
  persistence: 'p',
  replica_identity: 'd',
  row_security: false,
  allowed: [false, false, false],
  columns: [],
  primary_key: null,
  identity_index: null,
});

const empty: SourceCatalog = {
  server: { database: 'shop', rds: false } as ServerRow,
  slot: null,
  role: null,
  publication: null,
  platform: settings.platform,
  tables: [
    table('public', wicked, 'r'),
    table('debezium', 'cdc_signal', null),
    table('debezium', 'cdc_heartbeat', null),
  ],
};

describe('the plan of a preparation', () => {
  it('quotes every name, whatever it holds', () => {
    const script = ownerScript(preparationSteps(settings, empty, 'SCRAM-SHA-256$x'), 'shop');
    expect(script).toContain('CREATE ROLE "a""b$do$;--" LOGIN REPLICATION PASSWORD \'SCRAM-SHA-256$x\';');
    expect(script).toContain('DO $do1$ BEGIN');
    expect(script).toContain(
      'ALTER PUBLICATION "a""b$do$;--" SET TABLE "public"."a""b$do$;--", "debezium"."cdc_signal"',
    );
  });

  it('takes the role of RDS for the attribute that only a real superuser may give', () => {
    const rds = { ...empty, server: { ...empty.server, rds: true } };
    const script = ownerScript(preparationSteps(settings, rds, 'SCRAM-SHA-256$x'), 'shop');
    expect(script).toContain('GRANT rds_replication TO "a""b$do$;--";');
    expect(script).not.toContain('LOGIN REPLICATION');
  });

  it('takes back what a role was given once for a table that is captured no more', () => {
    const role = {
      name: wicked,
      login: true,
      replication: true,
      connect: true,
      schemas: ['public', 'debezium'],
      granted: [{ schema: 'old', table: 'gone', privilege: 'SELECT' }],
    } as unknown as RoleRow;
    const steps = preparationSteps(settings, { ...empty, role }, null);
    expect(steps.map(({ sql }) => sql)).toContain('REVOKE SELECT ON "old"."gone" FROM "a""b$do$;--";');
  });

  it('never says a verifier in the words that are logged', () => {
    const words = preparationSteps(settings, empty, 'SCRAM-SHA-256$x').map(({ what }) => what);
    expect(words.join()).not.toContain('SCRAM');
  });
});

describe('the plan of a removal', () => {
  it('is empty when nothing was prepared', () => {
    expect(removalSteps(settings, empty, false)).toEqual([]);
  });

  it("leaves another database's slot alone", () => {
    const slot = { slot_name: 'cdc', database: 'other' } as SourceCatalog['slot'];
    expect(removalSteps(settings, { ...empty, slot }, false)).toEqual([]);
  });

  it('leaves the schema to another deployment that captures from the database', () => {
    const prepared = {
      ...empty,
      tables: [table('debezium', 'cdc_signal', 'r'), table('debezium', 'cdc_heartbeat', 'r')],
    };
    const dropped = (isShared: boolean) => removalSteps(settings, prepared, isShared).map(({ what }) => what);
    const own = 'drop debezium.cdc_signal and debezium.cdc_heartbeat';
    expect(dropped(true)).toEqual([own]);
    expect(dropped(false)).toEqual([own, 'drop the schema debezium']);
  });
});
