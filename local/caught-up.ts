/** How far behind the landing zone is: what Debezium has still to read, and what the pipes have still to land. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { platformTables, slotName } from '../functions/cdc/connector-config.ts';
import type { Deployment } from '../functions/cdc/names.ts';
import type { Registry } from '../functions/cdc/registry.ts';
import { SLOT_QUERY, type SlotRow } from '../functions/cdc/source-queries.ts';
import { withAdmin } from './kafka/broker.ts';
import { pipePlans } from './pipe/plan.ts';
import { withDatabase } from './postgres/client.ts';
import { TwinError } from './twin-error.ts';

const CURRENT_LSN_QUERY = "SELECT (pg_current_wal_lsn() - '0/0'::pg_lsn)::text AS lsn";
const LOOK_EVERY_MS = 200;
const KAFKA_RETRIES = 5;

/** Records of one topic that are in Kafka and not yet in a closed landing file. */
export interface PipeLag {
  readonly topic: string;
  readonly group: string;
  readonly end: bigint;
  readonly committed: bigint;
}

/** Where the pipes stand: a topic without a commit yet counts from its beginning. */
export async function pipeLags(
  broker: string,
  groups: readonly { readonly topic: string; readonly group: string }[],
): Promise<PipeLag[]> {
  return withAdmin(
    broker,
    async (admin) => {
      const lags: PipeLag[] = [];
      for (const { topic, group } of groups) {
        const [ends, commits] = await Promise.all([
          admin.fetchTopicOffsets(topic),
          admin.fetchOffsets({ groupId: group, topics: [topic] }),
        ]);
        const committed = new Map(commits[0]?.partitions.map((p) => [p.partition, BigInt(p.offset)]));
        const sum = (values: readonly bigint[]) => values.reduce((a, b) => a + b, 0n);
        lags.push({
          topic,
          group,
          end: sum(ends.map((p) => BigInt(p.high))),
          committed: sum(
            ends.map((p) => {
              const at = committed.get(p.partition) ?? -1n;
              return at < 0n ? BigInt(p.low) : at;
            }),
          ),
        });
      }
      return lags;
    },
    KAFKA_RETRIES,
  );
}

/** The source's current LSN and the LSN up to which Debezium has confirmed that Kafka holds everything. */
export async function readLsns(
  source: Client,
  slot: string,
): Promise<{ current: bigint; confirmed: bigint | null; row: SlotRow | null }> {
  const current = await source.query<{ lsn: string }>(CURRENT_LSN_QUERY);
  const slots = await source.query<SlotRow>(SLOT_QUERY, [slot]);
  const row = slots.rows[0] ?? null;
  return {
    current: BigInt(current.rows[0]?.lsn ?? '0'),
    confirmed: row?.confirmed_lsn ? BigInt(row.confirmed_lsn) : null,
    row,
  };
}

type Urls = { readonly source: string; readonly heartbeat: string; readonly kafka: string };
type Captured = { readonly registry: Pick<Registry, 'tables'>; readonly deployment: Deployment };

/**
 * Waits until every change committed in the source before this call lies in the landing zone. A heartbeat is written
 * first (`urls.heartbeat`: as a role that may): on an idle source the slot stands behind the log until the next one.
 * @throws TwinError that says who is behind, and by how much, when that takes longer than `withinMs`.
 */
export function untilLanded(
  urls: Urls,
  captured: Captured,
  withinMs: number,
  signal?: AbortSignal,
): Promise<void> {
  return withDatabase(urls.source, (source) => untilPassedOn(source, urls, captured, withinMs, signal));
}

async function untilPassedOn(
  source: Client,
  urls: Urls,
  { registry, deployment }: Captured,
  withinMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const slot = slotName(deployment);
  const groups = pipePlans(deployment, registry);
  const deadline = Date.now() + withinMs;
  const { current: target } = await readLsns(source, slot);
  await writeHeartbeat(urls.heartbeat, deployment);
  const look = () => delay(LOOK_EVERY_MS, undefined, signal ? { signal } : {});
  const expectWithin = (behind: string) => {
    if (Date.now() > deadline) {
      throw new TwinError(`Not everything has landed within ${withinMs / 1000} s: ${behind}`);
    }
  };
  for (;;) {
    const { confirmed } = await readLsns(source, slot);
    if (confirmed !== null && confirmed >= target) break;
    expectWithin(`Debezium has confirmed LSN ${confirmed ?? 'none'} of ${target}`);
    await look();
  }
  // Later records are not waited for: a source at work would never be caught up with.
  const ends = new Map((await pipeLags(urls.kafka, groups)).map(({ topic, end }) => [topic, end]));
  for (;;) {
    const lags = await pipeLags(urls.kafka, groups);
    const lagging = lags.filter(({ topic, committed }) => committed < (ends.get(topic) ?? 0n));
    if (lagging.length === 0) return;
    expectWithin(
      lagging.map((l) => `${l.topic} is landed to ${l.committed} of ${ends.get(l.topic)}`).join(', '),
    );
    await look();
  }
}

async function writeHeartbeat(url: string, deployment: Deployment): Promise<void> {
  await withDatabase(url, (client) =>
    client.query(`UPDATE ${platformTables(deployment).heartbeat} SET ts = now()`),
  );
}
