import pg from 'pg';
import type { SourceConnection } from '../cdc/connector-config.ts';
import { withSource } from '../source-database/connection.ts';
import type { SourceSettings } from './catalog.ts';
import { MANNER } from './manner.ts';
import { scramVerifier } from './password.ts';

const { escapeIdentifier, escapeLiteral } = pg;

/** Gives the replication role its password; who is connected stays so. */
export function setRolePassword(connection: SourceConnection, role: SourceSettings['role']): Promise<void> {
  return withSource(connection, MANNER, async (client) => {
    const verifier = escapeLiteral(scramVerifier(role.password));
    await client.query(`ALTER ROLE ${escapeIdentifier(role.name)} PASSWORD ${verifier}`);
  });
}

/** Logs in as the replication role. @throws SourceUnreachableError when it may not */
export function tryRole(connection: SourceConnection, role: SourceSettings['role']): Promise<void> {
  const asRole = { ...connection, user: role.name, password: role.password };
  return withSource(asRole, MANNER, async (client) => {
    await client.query('SELECT 1');
  });
}
