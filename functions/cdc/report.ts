import type { Job } from './names.ts';

/** A check's outcome: passed when `value` is at most `limit`. */
export type CheckResult = {
  name: string;
  severity: 'fail' | 'warn';
  value: number;
  limit: number;
  passed: boolean;
  detail: string | null;
};

/** What maintenance did to one table; all zero when it needed nothing. */
export type Upkeep = {
  /** Data files and delete files that were joined into others, and how many those are. */
  files_joined: number;
  files_made: number;
  bytes_rewritten: number;
  manifests_joined: number;
  snapshots_expired: number;
  files_deleted: number;
  orphans_deleted: number;
};

/** What one run did to one table; in gold, to one model; in maintenance, to any table of the lake. */
export type TableReport = {
  table: string;
  target: string;
  rows_in: number;
  rows_out: number;
  duplicates: number;
  quarantined: number;
  late: number;
  published: boolean;
  /** The reason that holds the table back. */
  held: string | null;
  snapshot_id: string | null;
  batch: number | null;
  high_water_lsn: string | null;
  duration_ms: number;
  total_rows: number | null;
  checks: CheckResult[];
  /** Maintenance only. */
  upkeep?: Upkeep | null;
};

/** Offsets missing between landed ones, both ends inclusive; `since`: when the gap was first seen (ISO 8601). */
export type Gap = { from: string; to: string; since: string };

export type PartitionReport = {
  topic: string;
  partition: number;
  /** Nothing up to this offset is missing; null before the first. */
  frontier: string | null;
  highest: string | null;
  gaps: Gap[];
};

/** What bronze saw in the landing zone; `recent`: keys last changed within ten minutes before `at`. */
export type LandingListing = {
  at: string;
  full: boolean;
  recent: string[];
  /** Files that wait for the next run, because one takes only so many. */
  left?: number;
};

/** One layer (or maintenance) of one run, as its job writes it (docs/architecture.md, "Reports and gates"). Times are ISO 8601 in UTC. */
export type LayerReport = {
  report: 1;
  run_id: string;
  layer: Job;
  project: string;
  stage: string;
  batch: number | null;
  status: 'ok' | 'failed';
  error: string | null;
  started_at: string;
  finished_at: string;
  duration_ms: number;
  checks: CheckResult[];
  tables: TableReport[];
  /** Bronze only. */
  partitions?: PartitionReport[];
  listing?: LandingListing;
};

/** One reason for a verdict, for people: which table, which check, which value. */
export type Failure = {
  table: string;
  check: string;
  value: number | string | null;
  limit: number | string | null;
  detail: string | null;
};

/**
 * What the gate answers. `proceed` is false when nothing of the layer could be published; with a failure and
 * `proceed` the run goes on with the tables that are sound, and ends failed.
 */
export type GateAnswer = {
  verdict: 'pass' | 'warn' | 'fail';
  proceed: boolean;
  layer: Job;
  reason: string;
  failures: Failure[];
  held: string[];
};

/** A gap that stays this long will not close by itself: Firehose delivers in minutes or retries for hours. */
export const GAP_ALARM_MS = 60 * 60 * 1000;

/** Whether an object is a report. @throws Error that says what is missing. */
export function parseReport(text: string): LayerReport {
  const report = JSON.parse(text) as Partial<LayerReport>;
  const missing = (['run_id', 'layer', 'status', 'tables', 'checks', 'finished_at'] as const).filter(
    (field) => report[field] === undefined,
  );
  if (report.report !== 1 || missing.length > 0) {
    const what = report.report === 1 ? `lacks ${missing.join(', ')}` : `has version ${report.report}, not 1`;
    throw new Error(`This is no layer report: it ${what}`);
  }
  return report as LayerReport;
}

/** The gate's answer for a layer whose job succeeded but left no report. */
export function verdictWithoutReport(layer: Job, key: string): GateAnswer {
  const reason = `the ${layer} job ended without a report at ${key}: what it did is unknown`;
  return { verdict: 'fail', proceed: false, layer, reason, failures: [jobFailure(layer, reason)], held: [] };
}

/** The gate's answer for a report. */
export function verdictOf(report: LayerReport): GateAnswer {
  const { layer } = report;
  if (report.status === 'failed') {
    const reason = report.error ?? `the ${layer} job failed without saying why`;
    return {
      verdict: 'fail',
      proceed: false,
      layer,
      reason,
      failures: [jobFailure(layer, reason)],
      held: [],
    };
  }
  const failures = failuresOf(report);
  const warnings = failedChecks(report, 'warn');
  const held = report.tables.filter((table) => table.held !== null).map(({ table }) => table);
  const nothingPublished = held.length > 0 && held.length === report.tables.length;
  return {
    verdict: failures.length > 0 ? 'fail' : warnings.length > 0 ? 'warn' : 'pass',
    proceed: !nothingPublished,
    layer,
    reason: reasonOf(report, failures, warnings, held),
    failures: (failures.length > 0 ? failures : warnings).slice(0, MOST_FAILURES),
    held,
  };
}

function failuresOf(report: LayerReport): Failure[] {
  const failed = failedChecks(report, 'fail');
  const explained = new Set(failed.map(({ table }) => table));
  const heldOtherwise = report.tables
    .filter(({ table, held }) => held !== null && !explained.has(table))
    .map(({ table, held }) => ({ table, check: 'held', value: null, limit: null, detail: held }));
  return [...failed, ...heldOtherwise, ...staleGaps(report)];
}

function failedChecks(report: LayerReport, severity: CheckResult['severity']): Failure[] {
  const groups = [
    { table: `(${report.layer})`, checks: report.checks },
    ...report.tables.map(({ table, checks }) => ({ table, checks })),
  ];
  return groups.flatMap(({ table, checks }) =>
    checks
      .filter((check) => check.severity === severity && !check.passed)
      .map(({ name, value, limit, detail }) => ({ table, check: name, value, limit, detail })),
  );
}

/** Failures that an answer carries: Step Functions passes at most 256 KB from state to state. */
const MOST_FAILURES = 50;

/** Offsets that have been missing for an hour: a failure of the path, not of a table's rows. */
function staleGaps({ partitions = [], finished_at }: LayerReport): Failure[] {
  const now = Date.parse(finished_at);
  return partitions.flatMap(({ topic, partition, gaps }) =>
    gaps
      .filter(({ since }) => now - Date.parse(since) >= GAP_ALARM_MS)
      .map(({ from, to, since }) => ({
        table: `${topic}/${partition}`,
        check: 'landing_gap',
        value: `${from}..${to}`,
        limit: '1 hour',
        detail: `these offsets are missing in the landing zone since ${since}; replay them from Kafka`,
      })),
  );
}

function jobFailure(layer: Job, reason: string): Failure {
  return { table: `(${layer})`, check: 'job', value: null, limit: null, detail: reason };
}

function reasonOf(report: LayerReport, failures: Failure[], warnings: Failure[], held: string[]): string {
  const { layer, tables } = report;
  const heldBack = held.length > 0 ? `; held back: ${held.join(', ')}` : '';
  if (failures.length > 0) return `${count(failures.length, 'failure')} in ${layer}${heldBack}`;
  if (warnings.length > 0) return `${count(warnings.length, 'warning')} in ${layer}`;
  return `${layer} is sound, ${count(tables.length, layer === 'gold' ? 'model' : 'table')}`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
