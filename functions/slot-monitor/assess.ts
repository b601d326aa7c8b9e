import type { SlotLook } from './look.ts';

/** What the metrics say of the slot; a value that isn't known is left out, and its alarm tells. */
export type SlotMeasures = {
  /** WAL that the server keeps for the slot, in bytes. */
  SlotLagBytes?: number;
  /** The same in percent of the budget. */
  SlotBudgetUsed?: number;
  /** Whether a connector streams from it: 0 or 1. */
  SlotActive: number;
  /** Seconds since Debezium's last heartbeat reached the source. */
  HeartbeatAge?: number;
};

/** What was measured, and what people have to do; null when nothing. */
export type Assessment = { measures: SlotMeasures; problem: string | null };

/** From which share of the budget on people should act, in percent: the disk isn't full yet then. */
const ACT_FROM = 50;

/** Judges a slot by what it holds back, against the bytes that it may. */
export function assess(name: string, { slot, heartbeatAge }: SlotLook, budget: bigint): Assessment {
  const age = heartbeatAge === null ? {} : { HeartbeatAge: heartbeatAge };
  if (slot === null) {
    return {
      measures: { SlotActive: 0, ...age },
      problem: `The source has no replication slot ${name}. Debezium makes it when the connector starts: see the connector function's log. If it was there before, changes are lost: capture has to begin anew in a higher epoch (docs/operations.md, "Raise the epoch").`,
    };
  }
  if (slot.wal_status === 'lost') {
    return {
      // All of the budget and more: the alarm has to stand.
      measures: { SlotActive: 0, SlotBudgetUsed: 100, ...age },
      problem: `The replication slot ${name} is lost: the source removed WAL that Debezium had not read (max_slot_wal_keep_size). Capture has to begin anew in a higher epoch (docs/operations.md, "Raise the epoch").`,
    };
  }
  const held = BigInt(slot.retained_bytes ?? '0');
  // Percent with two decimals, from whole numbers.
  const used = Number((held * 10_000n) / budget) / 100;
  return {
    measures: {
      SlotLagBytes: Number(held),
      SlotBudgetUsed: used,
      SlotActive: slot.active ? 1 : 0,
      ...age,
    },
    problem: used < ACT_FROM ? null : heldBack(name, slot.active, held, budget, used),
  };
}

function heldBack(name: string, active: boolean, held: bigint, budget: bigint, used: number): string {
  const what = `The replication slot ${name} holds back ${mebibytes(held)} MiB of WAL, ${Math.floor(used)} % of the ${mebibytes(budget)} MiB that it may.`;
  const remedy = active
    ? 'A connector streams from it but is slow, or a long transaction is open in the source (SELECT pid, xact_start, state FROM pg_stat_activity ORDER BY xact_start): let that end; look at the connector, at Kafka and at the size of its task.'
    : 'No connector streams from it: look at the connector function (status) and at the Connect service. If capture must rest for long, give the slot up and raise the epoch later (docs/operations.md).';
  return `${what} ${remedy}`;
}

function mebibytes(bytes: bigint): string {
  return String(bytes / 1024n ** 2n);
}
