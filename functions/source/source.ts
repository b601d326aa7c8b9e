import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import type { SourceConnection } from '../cdc/connector-config.ts';
import type { IdentityRow } from '../cdc/source-queries.ts';
import {
  capturedFindings,
  type Finding,
  messageKeys,
  type SourceCatalog,
  serverFindings,
  sourceFindings,
} from '../cdc/source-rules.ts';
import { withSource } from '../source-database/connection.ts';
import { othersCapture, readCatalog, readIdentity, type SourceSettings } from './catalog.ts';
import { MANNER } from './manner.ts';
import { scramVerifier } from './password.ts';
import { ownerScript, preparationSteps, removalSteps, type Step } from './plan.ts';

const INSUFFICIENT_PRIVILEGE = '42501';
const INVALID_PASSWORD = '28P01';
const LOCK_TIMEOUT = '10s';
/** A connector that was deleted a moment ago may still be streaming. */
const SLOT_FREE_WITHIN_MS = 30_000;
const SLOT_POLL_MS = 200;

export type SourceCheck = {
  /** Nothing refuses: the connector may run. */
  ok: boolean;
  findings: Finding[];
  /** Null on a standby. */
  identity: IdentityRow | null;
  /** Kafka key columns of the tables whose key must not be their primary key, for the connector's configuration. */
  messageKeys: Record<string, string[]>;
};

export type SourcePreparation = SourceCheck & {
  /** What this call changed; empty when all was prepared before. */
  done: string[];
  /** SQL for the database's owner, when the given user may not do it; nothing was changed then. */
  script: string | null;
};

/**
 * Makes what capture needs: the replication role with no more rights than it needs, the signal and heartbeat tables,
 * the publication of exactly the given tables. All in one transaction, so that it is done or left as it was; a second
 * call changes nothing.
 * @throws Error when the source can't be reached, or for a failure that is not about privileges.
 */
export function prepareSource(
  connection: SourceConnection,
  settings: SourceSettings,
): Promise<SourcePreparation> {
  return withSource(connection, MANNER, async (client) => {
    const before = await readCatalog(client, settings);
    if (isBlocked(settings, before)) {
      return { ...(await assess(client, connection, settings, before)), done: [], script: null };
    }
    const steps = preparationSteps(settings, before, await neededVerifier(connection, settings, before));
    if (await applySteps(client, steps)) {
      const after = await assess(client, connection, settings, await readCatalog(client, settings));
      return { ...after, done: steps.map(({ what }) => what), script: null };
    }
    return {
      ok: false,
      // What the script will mend is no finding.
      findings: [...serverFindings(before.server, before.slot), ...capturedFindings(settings.tables, before)],
      identity: await readIdentity(client),
      messageKeys: messageKeys(settings.tables, before),
      done: [],
      script: ownerScript(steps, before.server.database),
    };
  });
}

/** Says, changing nothing, whether the source is ready for the connector and what it can't carry. */
export function checkSource(connection: SourceConnection, settings: SourceSettings): Promise<SourceCheck> {
  return withSource(connection, MANNER, async (client) =>
    assess(client, connection, settings, await readCatalog(client, settings)),
  );
}

/**
 * Takes away all that preparation made but what another deployment needs, and the slot, which would otherwise keep the
 * log for ever.
 * @throws Error when the connector still runs on the slot after `slotFreeWithinMs`.
 */
export function removeSource(
  connection: SourceConnection,
  settings: SourceSettings,
  slotFreeWithinMs = SLOT_FREE_WITHIN_MS,
): Promise<Pick<SourcePreparation, 'done' | 'script'>> {
  return withSource(connection, MANNER, async (client) => {
    let catalog = await readCatalog(client, settings);
    for (const deadline = Date.now() + slotFreeWithinMs; catalog.slot?.active && Date.now() < deadline; ) {
      await pause(SLOT_POLL_MS);
      catalog = await readCatalog(client, settings);
    }
    if (catalog.slot?.active) {
      throw new Error(
        `The replication slot ${settings.slot} is in use by process ${catalog.slot.active_pid}; delete the connector first.`,
      );
    }
    const steps = removalSteps(settings, catalog, await othersCapture(client, settings));
    const applied = await applySteps(client, steps);
    return {
      done: applied ? steps.map(({ what }) => what) : [],
      script: applied ? null : ownerScript(steps, catalog.server.database),
    };
  });
}

/** Nothing can or may be made: on a standby, with a table that can't be captured, over somebody's wide publication. */
function isBlocked(settings: SourceSettings, catalog: SourceCatalog): boolean {
  const wide = catalog.publication?.all_tables || catalog.publication?.whole_schemas;
  return (
    catalog.server.standby ||
    wide === true ||
    capturedFindings(settings.tables, catalog).some(({ severity }) => severity === 'refuse')
  );
}

async function assess(
  client: pg.Client,
  connection: SourceConnection,
  settings: SourceSettings,
  catalog: SourceCatalog,
): Promise<SourceCheck> {
  const { role, publication } = settings;
  const findings = sourceFindings(settings.tables, { role: role.name, publication }, catalog);
  if (catalog.role?.login) findings.unshift(...(await loginFindings(connection, settings)));
  return {
    ok: findings.every(({ severity }) => severity !== 'refuse'),
    findings,
    identity: catalog.server.standby ? null : await readIdentity(client),
    messageKeys: messageKeys(settings.tables, catalog),
  };
}

/** The verifier to be stored, or null where the role has the right password already. */
async function neededVerifier(
  connection: SourceConnection,
  settings: SourceSettings,
  { role }: SourceCatalog,
): Promise<string | null> {
  const wrong = role === null || (await loginFailure(connection, settings))?.code === INVALID_PASSWORD;
  return wrong ? scramVerifier(settings.role.password) : null;
}

/** What happens when the replication role logs in: null when it may. */
async function loginFailure(
  connection: SourceConnection,
  { role }: SourceSettings,
): Promise<{ code: string | undefined; message: string } | null> {
  try {
    await withSource({ ...connection, user: role.name, password: role.password }, MANNER, (client) =>
      client.query('SELECT 1'),
    );
    return null;
  } catch (error) {
    const cause = (error as Error).cause as (Error & { code?: string }) | undefined;
    return { code: cause?.code, message: (error as Error).message };
  }
}

async function loginFindings(connection: SourceConnection, settings: SourceSettings): Promise<Finding[]> {
  const failure = await loginFailure(connection, settings);
  if (failure === null) return [];
  const remedy =
    failure.code === INVALID_PASSWORD
      ? 'Run the source function with the action prepare, which sets it'
      : `Let pg_hba.conf admit ${settings.role.name} to this database`;
  return [{ severity: 'refuse', code: 'role-login', table: null, message: failure.message, remedy }];
}

/** Runs the steps in one transaction; false, with nothing changed, when the user lacks a privilege for one. */
async function applySteps(client: pg.Client, steps: readonly Step[]): Promise<boolean> {
  if (steps.length === 0) return true;
  let current = 'begin';
  try {
    await client.query('BEGIN');
    // Waits behind a long transaction for a table's lock would make the application's statements wait as well.
    await client.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
    await client.query("SELECT pg_advisory_xact_lock(hashtext('cdc-source'))");
    for (const { what, sql } of steps) {
      current = what;
      await client.query(sql);
    }
    await client.query('COMMIT');
    return true;
  } catch (error) {
    await client.query('ROLLBACK');
    const { code, message } = error as pg.DatabaseError;
    if (code === INSUFFICIENT_PRIVILEGE) return false;
    throw new Error(
      `The source was left as it was, because one step failed: ${current}: ${message} (${code}). Mend that and try again.`,
      { cause: error },
    );
  }
}
