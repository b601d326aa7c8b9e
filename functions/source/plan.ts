import pg from 'pg';
import { FORMER_PLATFORM_TABLES } from '../cdc/connector-config.ts';
import { RESERVED_SCHEMA, splitTableId } from '../cdc/names.ts';
import {
  mayReplicate,
  missingPrivileges,
  neededPrivileges,
  publicationIsExact,
  rowId,
  type SourceCatalog,
} from '../cdc/source-rules.ts';
import type { SourceSettings } from './catalog.ts';

const { escapeIdentifier, escapeLiteral } = pg;

/** One idempotent statement and what it is for, in words that may be logged: `sql` may hold a password's verifier. */
export type Step = { what: string; sql: string };

/**
 * What is missing for capture, in order. Empty when the source is prepared.
 * @param verifier the role's SCRAM verifier, or null when its password is right already.
 */
export function preparationSteps(
  settings: SourceSettings,
  catalog: SourceCatalog,
  verifier: string | null,
): Step[] {
  return [
    ...roleSteps(settings, catalog, verifier),
    ...platformSteps(catalog),
    ...privilegeSteps(settings, catalog),
    ...publicationSteps(settings, catalog),
  ];
}

/**
 * What takes everything away again that preparation made, and the slot. The slot comes first: PostgreSQL drops none in
 * a transaction that has written.
 * @param isShared whether another deployment goes on with the schema of the signal and heartbeat tables
 */
export function removalSteps(settings: SourceSettings, catalog: SourceCatalog, isShared: boolean): Step[] {
  const steps: Step[] = [];
  if (catalog.slot !== null && catalog.slot.database === catalog.server.database) {
    const slot = escapeLiteral(settings.slot);
    steps.push({
      what: `drop the replication slot ${settings.slot}`,
      sql: `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = ${slot};`,
    });
  }
  if (catalog.publication !== null) {
    steps.push({
      what: `drop the publication ${settings.publication}`,
      sql: `DROP PUBLICATION IF EXISTS ${escapeIdentifier(settings.publication)};`,
    });
  }
  const isThere = catalog.tables.some(({ schema, kind }) => schema === RESERVED_SCHEMA && kind !== null);
  if (isThere) {
    const own = Object.values(settings.platform);
    steps.push({ what: `drop ${own.join(' and ')}`, sql: dropTables(own) });
  }
  if (isThere && !isShared) {
    steps.push({
      what: `drop the schema ${RESERVED_SCHEMA}`,
      sql: `${dropTables(Object.values(FORMER_PLATFORM_TABLES))}
DROP SCHEMA IF EXISTS ${escapeIdentifier(RESERVED_SCHEMA)};`,
    });
  }
  if (catalog.role !== null) {
    const role = escapeIdentifier(settings.role.name);
    steps.push({
      what: `drop the role ${settings.role.name}`,
      sql: when(`EXISTS (SELECT FROM pg_roles WHERE rolname = ${escapeLiteral(settings.role.name)})`, [
        // Its rights can be taken back only by one who has the role.
        `GRANT ${role} TO CURRENT_USER;`,
        `DROP OWNED BY ${role};`,
        `DROP ROLE ${role};`,
      ]),
    });
  }
  return steps;
}

/** The steps as one script for psql, to be run by somebody who may. */
export function ownerScript(steps: readonly Step[], database: string): string {
  const body = steps.map(({ what, sql }) => `-- ${what}\n${sql}`).join('\n\n');
  return `-- For the owner of the database ${database}, connected to it. May be run again.\nBEGIN;\n\n${body}\n\nCOMMIT;\n`;
}

function roleSteps({ role }: SourceSettings, catalog: SourceCatalog, verifier: string | null): Step[] {
  const name = escapeIdentifier(role.name);
  const { server } = catalog;
  // Only a real superuser may give the REPLICATION attribute; RDS has a role to be granted in its place.
  const attributes = server.rds ? 'LOGIN' : 'LOGIN REPLICATION';
  const steps: Step[] = [];
  if (catalog.role === null) {
    steps.push({
      what: `create the replication role ${role.name}`,
      sql: when(`NOT EXISTS (SELECT FROM pg_roles WHERE rolname = ${escapeLiteral(role.name)})`, [
        `CREATE ROLE ${name} ${attributes} PASSWORD ${escapeLiteral(verifier ?? '')};`,
      ]),
    });
  } else {
    if (!catalog.role.login || (!server.rds && !mayReplicate(catalog.role, server))) {
      steps.push({ what: `let ${role.name} log in and replicate`, sql: `ALTER ROLE ${name} ${attributes};` });
    }
    if (verifier !== null) {
      steps.push({
        what: `set the password of ${role.name}`,
        sql: `ALTER ROLE ${name} PASSWORD ${escapeLiteral(verifier)};`,
      });
    }
  }
  if (server.rds && !catalog.role?.rds_replication) {
    steps.push({ what: `let ${role.name} replicate`, sql: `GRANT rds_replication TO ${name};` });
  }
  return steps;
}

/** Debezium's signal table has the columns of its documentation; the heartbeat is one row that the connector updates. */
function platformSteps(catalog: SourceCatalog): Step[] {
  const { signal, heartbeat } = catalog.platform;
  const exists = (id: string) => catalog.tables.some((row) => rowId(row) === id && row.kind !== null);
  const steps: Step[] = [];
  if (!exists(signal)) {
    steps.push({
      what: `create ${signal}`,
      sql: `CREATE SCHEMA IF NOT EXISTS ${escapeIdentifier(RESERVED_SCHEMA)};
CREATE TABLE IF NOT EXISTS ${quoted(signal)} (id varchar(64) PRIMARY KEY, type varchar(32) NOT NULL, data text);`,
    });
  }
  if (!exists(heartbeat)) {
    steps.push({
      what: `create ${heartbeat}`,
      sql: `CREATE SCHEMA IF NOT EXISTS ${escapeIdentifier(RESERVED_SCHEMA)};
CREATE TABLE IF NOT EXISTS ${quoted(heartbeat)} (id int PRIMARY KEY, ts timestamptz NOT NULL);
INSERT INTO ${quoted(heartbeat)} (id, ts) VALUES (1, now()) ON CONFLICT DO NOTHING;`,
    });
  }
  return steps;
}

function privilegeSteps(settings: SourceSettings, catalog: SourceCatalog): Step[] {
  const role = escapeIdentifier(settings.role.name);
  const { database } = catalog.server;
  const steps: Step[] = [];
  if (!catalog.role?.connect) {
    steps.push({
      what: `let ${settings.role.name} connect to ${database}`,
      sql: `GRANT CONNECT ON DATABASE ${escapeIdentifier(database)} TO ${role};`,
    });
  }
  const schemas = new Set(catalog.tables.map(({ schema }) => schema));
  for (const schema of schemas) {
    if (catalog.role?.schemas.includes(schema)) continue;
    steps.push({
      what: `let ${settings.role.name} use the schema ${schema}`,
      sql: `GRANT USAGE ON SCHEMA ${escapeIdentifier(schema)} TO ${role};`,
    });
  }
  for (const row of catalog.tables) {
    const missing =
      catalog.role === null
        ? neededPrivileges(row, catalog.platform)
        : missingPrivileges(row, catalog.platform);
    if (missing.length === 0) continue;
    steps.push({
      what: `give ${settings.role.name} ${missing.join(', ')} on ${rowId(row)}`,
      sql: `GRANT ${missing.join(', ')} ON ${quoted(rowId(row))} TO ${role};`,
    });
  }
  return [...steps, ...revocationSteps(settings, catalog)];
}

/** What the role was given once and needs no more: a table that left the registry. */
function revocationSteps(settings: SourceSettings, catalog: SourceCatalog): Step[] {
  const superfluous = (catalog.role?.granted ?? []).filter((grant) => {
    const row = catalog.tables.find((table) => rowId(table) === rowId(grant));
    return row === undefined || !neededPrivileges(row, catalog.platform).includes(grant.privilege);
  });
  return superfluous.map((grant) => ({
    what: `take ${grant.privilege} on ${rowId(grant)} from ${settings.role.name}`,
    sql: `REVOKE ${grant.privilege} ON ${quotedTable(grant)} FROM ${escapeIdentifier(settings.role.name)};`,
  }));
}

/** Made by the tables' owner: Debezium would have to own them. Partitions are published as their partitioned table. */
function publicationSteps(settings: SourceSettings, { publication, tables }: SourceCatalog): Step[] {
  if (publication !== null && publicationIsExact(publication, tables)) return [];
  const name = escapeIdentifier(settings.publication);
  const list = tables.map(quotedTable).join(', ');
  const options = `publish = 'insert, update, delete, truncate', publish_via_partition_root = true`;
  const exists = `EXISTS (SELECT FROM pg_publication WHERE pubname = ${escapeLiteral(settings.publication)})`;
  return [
    {
      what: `publish ${tables.map(rowId).join(', ')} as ${settings.publication}`,
      sql: `${when(`NOT ${exists}`, [`CREATE PUBLICATION ${name};`])}
ALTER PUBLICATION ${name} SET TABLE ${list};
ALTER PUBLICATION ${name} SET (${options});`,
    },
  ];
}

function dropTables(ids: readonly string[]): string {
  return `DROP TABLE IF EXISTS ${ids.map(quoted).join(', ')};`;
}

function when(condition: string, statements: string[]): string {
  const body = `BEGIN\n  IF ${condition} THEN\n    ${statements.join('\n    ')}\n  END IF;\nEND`;
  // A quoted name may hold anything, the quote of the block included.
  let tag = '$do$';
  for (let n = 1; body.includes(tag); n += 1) tag = `$do${n}$`;
  return `DO ${tag} ${body} ${tag};`;
}

function quoted(tableId: string): string {
  return quotedTable(splitTableId(tableId));
}

function quotedTable({ schema, table }: { schema: string; table: string }): string {
  return `${escapeIdentifier(schema)}.${escapeIdentifier(table)}`;
}
