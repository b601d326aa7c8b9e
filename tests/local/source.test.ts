import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { platformTables, type SourceConnection } from '../../functions/cdc/connector-config.ts';
import { parseRegistry } from '../../functions/cdc/registry.ts';
import { PUBLICATION_QUERY } from '../../functions/cdc/source-queries.ts';
import { sourceConnection } from '../../functions/cdc/source-url.ts';
import type { SourceSettings } from '../../functions/source/catalog.ts';
import { replicationRole, sourceSettings } from '../../functions/source/config.ts';
import { setRolePassword, tryRole } from '../../functions/source/role-password.ts';
import { createSample } from '../../functions/source/sample.ts';
import { signalSnapshot, signalStop } from '../../functions/source/signal.ts';
import { checkSource, prepareSource, removeSource } from '../../functions/source/source.ts';
import { postgresPlace } from '../../local/postgres/place.ts';
import { allowSignals } from '../../local/postgres/signals.ts';
import { tail } from '../../local/process/log.ts';
import { createSampleSchema, loadSample } from '../../local/sample/load.ts';
import { runWorkload } from '../../local/sample/workload.ts';
import { PROJECT_ROOT } from '../../local/state.ts';
import { type RealPostgres, startRealPostgres } from './real-postgres.ts';

const registry = parseRegistry(readFileSync(join(PROJECT_ROOT, 'tables.yml'), 'utf8'));
const BOUND_MS = 60_000;
const deployment = { project: 'cdc_test', stage: 'source' };
const own = platformTables(deployment);
const password = "replica's \\ password";

let server: RealPostgres;
let admin: SourceConnection;
let shop: SourceConnection;
let adminUrl: string;

beforeAll(async () => {
  server = await startRealPostgres('source');
  adminUrl = server.urls.admin;
  admin = sourceConnection(adminUrl);
  shop = sourceConnection(server.urls.shop);
  await as(shop, createSampleSchema);
});

afterAll(() => server?.close());

describe('the source function on a real PostgreSQL', () => {
  it('says what is missing before anything is prepared', async () => {
    const { ok, findings, identity } = await checkSource(admin, settings());
    expect(ok).toBe(false);
    expect(findings.map(({ code }) => code)).toEqual(['no-role', 'no-publication']);
    expect(identity).toMatchObject({ system_identifier: expect.stringMatching(/^\d{15,}$/), timeline: 1 });
    expect(Number(identity?.lsn)).toBeGreaterThan(1_000_000);
  });

  it('prepares once and changes nothing the second time', async () => {
    const first = await prepareSource(admin, settings());
    expect(first).toMatchObject({ ok: true, findings: [], script: null, messageKeys: {} });
    expect(first.done).toContain('create the replication role cdc_test_source_replication');

    const second = await prepareSource(admin, settings());
    expect(second).toMatchObject({ ok: true, done: [], script: null });
    expect(await checkSource(admin, settings())).toMatchObject({ ok: true, findings: [] });
  });

  it('publishes exactly the captured tables and its own, with every operation', async () => {
    expect(await published()).toEqual([
      'debezium.cdc_test_source_heartbeat',
      'debezium.cdc_test_source_signal',
      'public.orders',
      'public.products',
      'public.users',
    ]);
  });

  it('gives the role what Debezium does and nothing else', async () => {
    const allowed = [
      'SELECT * FROM public.users',
      `INSERT INTO ${own.signal} (id, type, data) VALUES ('1', 'log', '{}')`,
      `UPDATE ${own.heartbeat} SET ts = now()`,
      "SELECT pg_drop_replication_slot((pg_create_logical_replication_slot('probe', 'pgoutput')).slot_name)",
    ];
    const forbidden = [
      'INSERT INTO public.users (name, email, country) VALUES (1, 1, 1)',
      'UPDATE public.orders SET status = status',
      `DELETE FROM ${own.signal}`,
      'TRUNCATE public.orders',
      'CREATE TABLE public.mine (id int)',
      'CREATE TABLE debezium.mine (id int)',
      'CREATE ROLE other',
      'ALTER PUBLICATION cdc_test_source DROP TABLE public.users',
      'SELECT * FROM public.uncaptured',
      'SELECT rolpassword FROM pg_authid',
    ];
    await as(shop, (client) => client.query('CREATE TABLE public.uncaptured (id int PRIMARY KEY)'));
    await as({ ...admin, user: replicationRole(deployment), password }, async (client) => {
      for (const sql of allowed) await client.query(sql);
      for (const sql of forbidden) await expect(client.query(sql)).rejects.toMatchObject({ code: '42501' });
    });
    expect(await heartbeats()).toBe(1);
  });

  it('lets the owner of the sample signal, once allowed, and read or change no signal', async () => {
    const signal = `INSERT INTO ${own.signal} (id, type, data)
      VALUES (gen_random_uuid(), 'execute-snapshot', '{"type": "incremental", "data-collections": ["public.users"]}')`;
    await as(shop, async (client) => {
      await expect(client.query(signal)).rejects.toMatchObject({ code: '42501' });
      await allowSignals(adminUrl, deployment);
      await allowSignals(adminUrl, deployment);
      expect(await client.query(signal)).toMatchObject({ rowCount: 1 });
      for (const sql of [`SELECT * FROM ${own.signal}`, `DELETE FROM ${own.signal}`]) {
        await expect(client.query(sql)).rejects.toMatchObject({ code: '42501' });
      }
    });
    // The grant is none of preparation's business.
    expect(await prepareSource(admin, settings())).toMatchObject({ ok: true, done: [], script: null });
  });

  it('follows a table that comes into the registry and one that leaves it', async () => {
    const uncaptured = {
      id: 'public.uncaptured',
      schema: 'public',
      table: 'uncaptured',
      key: null,
      reference: [],
    };
    const changed = { ...settings(), tables: [...registry.tables.slice(0, 2), uncaptured] };
    const gone = registry.tables[2]?.id as string;

    const { done } = await prepareSource(admin, changed);
    expect(done).toContain(`take SELECT on ${gone} from cdc_test_source_replication`);
    expect(await published()).toContain('public.uncaptured');
    expect(await published()).not.toContain(gone);

    await prepareSource(admin, settings());
    expect(await published()).not.toContain('public.uncaptured');
  });

  it('sets a changed password, which no statement in the log shows', async () => {
    const changed = {
      ...settings(),
      role: { name: replicationRole(deployment), password: 'another-password' },
    };
    await as(admin, (client) => client.query("ALTER SYSTEM SET log_statement = 'all'"));
    await as(admin, (client) => client.query('SELECT pg_reload_conf()'));
    expect((await checkSource(admin, changed)).findings[0]).toMatchObject({
      code: 'role-login',
      severity: 'refuse',
    });
    const { ok, done } = await prepareSource(admin, changed);
    expect({ ok, done }).toEqual({ ok: true, done: ['set the password of cdc_test_source_replication'] });
    const log = readFileSync(join(server.state.paths.logs, 'postgres.log'), 'utf8');
    expect(log).toContain('SCRAM-SHA-256$');
    expect(log).not.toContain('another-password');
    await as(admin, (client) => client.query('ALTER SYSTEM RESET log_statement'));
    await as(admin, (client) => client.query('SELECT pg_reload_conf()'));
    await prepareSource(admin, settings());
  });

  it('refuses and warns by name, and sets the key that a DELETE carries', async () => {
    await as(shop, (client) =>
      client.query(`
        CREATE TABLE public.late_key (id int, PRIMARY KEY (id) DEFERRABLE);
        CREATE TABLE public.twins (id int PRIMARY KEY, "Name" text, name text);
        CREATE TABLE public.bare (id int);
        CREATE TABLE public.own_silver (id int PRIMARY KEY, "Deleted_At" timestamptz);
        CREATE UNLOGGED TABLE public.unlogged (id int PRIMARY KEY);
        CREATE VIEW public.view AS SELECT 1 AS id;
        CREATE TABLE public.many (id int PRIMARY KEY, code text NOT NULL, unit text NOT NULL, UNIQUE (code, unit),
          total int GENERATED ALWAYS AS (id * 2) STORED, sums numeric[], at timetz, born date);
        ALTER TABLE public.many REPLICA IDENTITY USING INDEX many_code_unit_key;
        INSERT INTO public.many (id, code, unit, born) VALUES (1, 'a', 'b', '1500-01-01'), (2, 'c', 'd', '1500-01-02');
        ANALYZE public.many;`),
    );
    const names = ['late_key', 'twins', 'bare', 'own_silver', 'unlogged', 'view', 'absent', 'many'];
    const tables = names.map((table) => ({
      id: `public.${table}`,
      schema: 'public',
      table,
      key: null,
      reference: [],
    }));
    const before = await published();

    const { ok, findings, done, messageKeys } = await prepareSource(admin, { ...settings(), tables });
    const codes = (severity: string) =>
      findings
        .filter((each) => each.severity === severity && each.table)
        .map(({ table, code }) => `${table} ${code}`);
    expect(ok).toBe(false);
    expect(codes('refuse')).toEqual(
      expect.arrayContaining([
        'public.late_key deferrable-primary-key',
        'public.twins columns-differ-by-case',
        'public.bare no-replica-identity',
        'public.own_silver column-name-taken',
        'public.unlogged not-logged',
        'public.view not-a-table',
        'public.absent missing-table',
      ]),
    );
    expect(codes('warn')).toEqual([
      'public.many generated-column',
      'public.many array',
      'public.many numeric-array',
      'public.many ambiguous-unchanged-array',
      'public.many timetz',
      'public.many date-before-1582',
    ]);
    expect(messageKeys).toEqual({ 'public.many': ['code', 'unit'] });
    expect(done).toEqual([]);
    expect(await published()).toEqual(before);
  });

  it('hands a user who may not do it a script for the owner, and leaves the source as it was', async () => {
    await as(admin, (client) => client.query('CREATE DATABASE other OWNER shop'));
    const [owner, superuser] = [
      { ...shop, database: 'other' },
      { ...admin, database: 'other' },
    ];
    const other = { project: 'cdc_test', stage: 'other' };
    const wanted = sourceSettings(other, registry.tables, { name: replicationRole(other), password });
    await as(owner, createSampleSchema);

    const { ok, done, script } = await prepareSource(owner, wanted);
    expect({ ok, done }).toEqual({ ok: false, done: [] });
    expect(script).not.toContain(password);
    expect((await checkSource(owner, wanted)).findings.map(({ code }) => code)).toEqual([
      'no-role',
      'no-publication',
    ]);

    await as(superuser, async (client) => {
      await client.query(script as string);
      await client.query(script as string);
    });
    expect(await checkSource(owner, wanted)).toMatchObject({ ok: true, findings: [] });
    expect(await prepareSource(owner, wanted)).toMatchObject({ ok: true, done: [], script: null });
  });

  it('will not be taken for prepared by what the server lacks', async () => {
    await as(admin, (client) => client.query('ALTER TABLE public.users ENABLE ROW LEVEL SECURITY'));
    const { findings } = await checkSource(admin, settings());
    expect(findings).toEqual([
      expect.objectContaining({
        code: 'row-security',
        remedy: 'ALTER ROLE cdc_test_source_replication BYPASSRLS',
      }),
    ]);
    await as(admin, (client) => client.query('ALTER TABLE public.users DISABLE ROW LEVEL SECURITY'));
  });

  it('takes everything away again, but not from a connector at work', async () => {
    const slot = settings().slot;
    await as(admin, (client) =>
      client.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [slot]),
    );
    const leave = await stream(slot);
    await expect(removeSource(admin, settings(), 0)).rejects.toThrow(
      /is in use by process \d+; delete the connector first/,
    );
    expect(await published()).toHaveLength(5);
    leave();
    await until(async () => (await slotActive(slot)) === false);

    const { done } = await removeSource(admin, settings());
    expect(done).toEqual([
      `drop the replication slot ${slot}`,
      'drop the publication cdc_test_source',
      `drop ${own.signal} and ${own.heartbeat}`,
      'drop the schema debezium',
      'drop the role cdc_test_source_replication',
    ]);
    expect((await removeSource(admin, settings())).done).toEqual([]);
    expect((await checkSource(admin, settings())).findings.map(({ code }) => code)).toEqual([
      'no-role',
      'no-publication',
    ]);
  });

  it("takes nothing away that another deployment's capture needs", async () => {
    const second = { project: 'cdc_test', stage: 'second' };
    const others = sourceSettings(second, registry.tables, { name: replicationRole(second), password });
    await prepareSource(admin, settings());
    await prepareSource(admin, others);
    expect((await removeSource(admin, settings())).done).toEqual([
      'drop the publication cdc_test_source',
      `drop ${own.signal} and ${own.heartbeat}`,
      'drop the role cdc_test_source_replication',
    ]);
    expect(await checkSource(admin, others)).toMatchObject({ ok: true, findings: [] });
    expect((await removeSource(admin, others)).done).toContain('drop the schema debezium');
  });

  it('moves over from the tables that all deployments shared once, and leaves them to who still does', async () => {
    const role = replicationRole(deployment);
    await prepareSource(admin, settings());
    await as(admin, (client) =>
      client.query(`
        CREATE TABLE debezium.signal (LIKE ${own.signal} INCLUDING ALL);
        CREATE TABLE debezium.heartbeat (LIKE ${own.heartbeat} INCLUDING ALL);
        ALTER PUBLICATION cdc_test_source DROP TABLE ${own.signal}, ${own.heartbeat};
        ALTER PUBLICATION cdc_test_source ADD TABLE debezium.signal, debezium.heartbeat;
        DROP TABLE ${own.signal}, ${own.heartbeat};
        GRANT SELECT, INSERT ON debezium.signal TO ${role};
        CREATE PUBLICATION others FOR TABLE debezium.signal, debezium.heartbeat`),
    );
    const { ok, done } = await prepareSource(admin, settings());
    expect(ok).toBe(true);
    expect(done).toEqual(
      expect.arrayContaining([`create ${own.signal}`, `take INSERT on debezium.signal from ${role}`]),
    );
    expect(await published()).toEqual(expect.arrayContaining(Object.values(own)));
    expect(await published()).not.toContain('debezium.signal');

    expect((await removeSource(admin, settings())).done).not.toContain('drop the schema debezium');
    await as(admin, (client) => client.query('SELECT FROM debezium.signal; DROP PUBLICATION others'));
    await prepareSource(admin, settings());
    expect((await removeSource(admin, settings())).done).toContain('drop the schema debezium');
  });

  it('signals Debezium as the replication role, and refuses what would be passed over', async () => {
    await prepareSource(admin, settings());
    const { name: user } = settings().role;
    const role = { ...admin, user, password };

    const asked = await signalSnapshot(role, settings(), 'orders', "status = 'paid' OR id > 10");
    const stopped = await signalStop(role, settings(), 'public.orders');
    const rows = await as(admin, (client) =>
      client.query(`SELECT id, type, data FROM ${own.signal} ORDER BY type`),
    );
    expect(rows.rows.map(({ data, ...row }) => ({ ...row, data: JSON.parse(data) }))).toEqual([
      {
        id: asked.signal,
        type: 'execute-snapshot',
        data: {
          type: 'incremental',
          'data-collections': ['public\\.orders'],
          'additional-conditions': [
            { 'data-collection': 'public\\.orders', filter: "(status = 'paid' OR id > 10\n)" },
          ],
        },
      },
      {
        id: stopped.signal,
        type: 'stop-snapshot',
        data: { type: 'incremental', 'data-collections': ['public\\.orders'] },
      },
    ]);
    expect(BigInt(stopped.lsn)).toBeGreaterThan(BigInt(asked.lsn));

    await expect(signalSnapshot(role, settings(), 'bare')).rejects.toThrow(
      /public.bare is not captured; use one of/,
    );
    await expect(
      signalSnapshot(role, { ...settings(), tables: [{ id: 'public.bare' }] }, 'bare'),
    ).rejects.toThrow(/has no primary key/);
    const broken = ['no_column = 1', 'id > 1; DROP TABLE public.orders', 'id >'];
    // PostgreSQL understands these only with, or only without, what Debezium puts around them.
    const misplaced = ['id > 1) OR (id > 2', 'id > 1 LIMIT 5', 'id > 1 FOR UPDATE', 'true UNION SELECT'];
    for (const wrong of [...broken, ...misplaced]) {
      await expect(signalSnapshot(role, settings(), 'orders', wrong)).rejects.toThrow(
        /^The condition can't be used on public.orders: /,
      );
    }
    await removeSource(admin, settings());
  });

  it("changes the role's password without ending who is connected", async () => {
    await prepareSource(admin, settings());
    const { name } = settings().role;
    await as({ ...admin, user: name, password }, async (connected) => {
      await setRolePassword(admin, { name, password: 'a newer one' });
      await tryRole(admin, { name, password: 'a newer one' });
      await expect(tryRole(admin, { name, password })).rejects.toThrow(/password authentication failed/);
      await connected.query('SELECT 1');
    });
    await removeSource(admin, settings());
  });

  it('waits for a slot that is being left', async () => {
    await prepareSource(admin, settings());
    const slot = settings().slot;
    await as(admin, (client) =>
      client.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [slot]),
    );
    const leave = await stream(slot);
    const removing = removeSource(admin, settings(), BOUND_MS);
    // It has looked at the slot when the last question of its look is answered.
    await until(() => hasRun(PUBLICATION_QUERY));
    leave();
    expect((await removing).done[0]).toBe(`drop the replication slot ${slot}`);
  });

  it('says where it could not connect, without the password', async () => {
    const nobody = { ...admin, user: 'nobody', password: 'secret-word' };
    const failure = await checkSource(nobody, settings()).catch((error: Error) => error.message);
    expect(failure).toContain(`Can't connect to the source shop at ${admin.host}:${admin.port} as nobody`);
    expect(failure).not.toContain('secret-word');
  });
});

describe("the sample in a database of the stack's own", () => {
  const folder = join(PROJECT_ROOT, 'sql', 'source');
  let own: SourceConnection;
  const counts = () =>
    as(own, async (client) => {
      const { rows } = await client.query(
        `SELECT (SELECT count(*)::int FROM users) AS users, (SELECT count(*)::int FROM products) AS products,
          (SELECT count(*)::int FROM orders) AS orders`,
      );
      return rows[0];
    });

  beforeAll(async () => {
    await as(admin, (client) => client.query('CREATE DATABASE own OWNER shop'));
    own = { ...shop, database: 'own' };
  });

  it('is made once, with a few rows, and left alone from then on', async () => {
    expect(await createSample(own, folder, registry.tables)).toEqual([
      "make the sample's tables and rows, because there was no public.users, public.products, public.orders",
    ]);
    expect(await counts()).toEqual({ users: 5, products: 4, orders: 8 });
    await as(own, (client) => client.query("DELETE FROM orders WHERE status = 'pending'"));
    expect(await createSample(own, folder, registry.tables)).toEqual([]);
    expect(await counts()).toMatchObject({ orders: 7 });
  });

  it('adds a table that is missing, and no rows to those that have some', async () => {
    await as(own, (client) => client.query('DROP TABLE orders'));
    await createSample(own, folder, registry.tables);
    expect(await counts()).toEqual({ users: 5, products: 4, orders: 0 });
  });

  it('is made whole or not at all', async () => {
    await as(own, (client) => client.query('DROP TABLE orders, products'));
    await as(own, (client) => client.query('CREATE VIEW products AS SELECT 1 AS id'));
    await expect(createSample(own, folder, registry.tables)).rejects.toThrow(
      /^The sample could not be made, nothing was changed: /,
    );
    await as(own, async (client) => {
      const { rows } = await client.query("SELECT to_regclass('public.orders') AS orders");
      expect(rows[0]).toEqual({ orders: null });
    });
  });
});

describe('the sample shop', () => {
  it('fills empty tables once, and lives without ever changing a key', async () => {
    await as(shop, async (client) => {
      const options = { scale: 0.02, until: new Date('2026-01-31T00:00:00Z'), seed: 1 };
      expect(await loadSample(client, options)).toEqual({ users: 100, products: 10, orders: 1000 });
      expect(await loadSample(client, options)).toBeNull();

      const counts = await runWorkload(client, { rate: 1_000, seconds: 2, seed: 7 });
      for (const table of ['users', 'products', 'orders'] as const) {
        const { rows } = await client.query(`SELECT count(*)::int AS n FROM public.${table}`);
        const { insert, delete: deleted } = counts.tables[table];
        const loaded = { users: 100, products: 10, orders: 1000 }[table];
        expect(rows[0].n).toBe(loaded + insert - deleted);
        expect(counts.tables[table].update).toBeGreaterThan(0);
      }
      expect(counts.changes).toBeGreaterThan(counts.transactions);
    });
  });
});

describe('a server that was not set up for replication', () => {
  it('is refused with a remedy for each setting', async () => {
    await server.supervisor.stop('postgres');
    const { bin, data, account } = postgresPlace(server.state, () => undefined);
    const bare = {
      wal_level: 'replica',
      max_wal_senders: 0,
      max_replication_slots: 0,
      listen_addresses: admin.host,
    };
    const options = Object.entries({ ...bare, port: admin.port, unix_socket_directories: '' });
    await server.supervisor.start({
      name: 'bare',
      command: join(bin, 'postgres'),
      args: ['-D', data, ...options.flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      cwd: '/',
      account,
      isReady: () => as(admin, async () => true),
      readyWithinMs: BOUND_MS,
      stopSignal: 'SIGINT',
      stopWithinMs: 10_000,
      stopAfter: [],
      restart: null,
    });
    const { ok, findings } = await checkSource(admin, settings());
    expect(ok).toBe(false);
    expect(findings.slice(0, 3).map(({ message, remedy }) => [message, remedy])).toEqual([
      [
        'wal_level is replica: the log does not hold what logical decoding needs.',
        'ALTER SYSTEM SET wal_level = logical, then restart PostgreSQL',
      ],
      [
        'All 0 replication slots are taken.',
        'Drop one that nobody uses (pg_replication_slots), or ALTER SYSTEM SET max_replication_slots = 5, then restart PostgreSQL',
      ],
      ['All 0 WAL senders are busy.', 'ALTER SYSTEM SET max_wal_senders = 5, then restart PostgreSQL'],
    ]);
  });
});

/** Streams from a slot as a connector does, until the function that this answers is called. */
async function stream(slot: string): Promise<() => void> {
  const connector = new pg.Client({ ...admin, ...{ replication: 'database' } });
  connector.on('error', () => undefined);
  await connector.connect();
  const options = `proto_version '1', publication_names '${settings().publication}'`;
  connector.query(`START_REPLICATION SLOT ${slot} LOGICAL 0/0 (${options})`).catch(() => undefined);
  await until(async () => (await slotActive(slot)) === true);
  return () =>
    (connector as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}

function settings(): SourceSettings {
  return sourceSettings(deployment, registry.tables, { name: replicationRole(deployment), password });
}

async function as<Answer>(
  { host, port, database, user, password: word }: SourceConnection,
  use: (client: pg.Client) => Promise<Answer>,
): Promise<Answer> {
  const client = new pg.Client({ host, port, database, user, password: word });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

function published(): Promise<string[]> {
  return as(admin, async (client) => {
    const { rows } = await client.query<{ id: string }>(
      "SELECT schemaname || '.' || tablename AS id FROM pg_publication_tables WHERE pubname = $1 ORDER BY 1",
      [settings().publication],
    );
    return rows.map(({ id }) => id);
  });
}

function slotActive(slot: string): Promise<boolean | undefined> {
  return as(admin, async (client) => {
    const { rows } = await client.query('SELECT active FROM pg_replication_slots WHERE slot_name = $1', [
      slot,
    ]);
    return rows[0]?.active;
  });
}

/** Whether another session has run a statement, as its last so far. PostgreSQL keeps the beginning of its text. */
function hasRun(statement: string): Promise<boolean> {
  return as(admin, async (client) => {
    const { rowCount } = await client.query(
      "SELECT FROM pg_stat_activity WHERE state = 'idle' AND left(query, 200) = left($1, 200)",
      [statement],
    );
    return (rowCount ?? 0) > 0;
  });
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + BOUND_MS; !(await holds()); await pause(50)) {
    if (Date.now() > deadline)
      throw new Error(
        `not within ${BOUND_MS / 1000} s\n${tail(join(server.state.paths.logs, 'postgres.log'))}`,
      );
  }
}

function heartbeats(): Promise<number> {
  return as(admin, async (client) => (await client.query(`SELECT FROM ${own.heartbeat}`)).rowCount ?? 0);
}
