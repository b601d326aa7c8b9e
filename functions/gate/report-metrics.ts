import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { GateAnswer, LayerReport, PartitionReport } from '../cdc/report.ts';

type Counts = Record<string, number>;

/**
 * Emits what a layer did by layer, and what was held or quarantined by table, too. Of maintenance only the verdict and
 * how long it took: it moves no rows, and each metric of each table costs.
 */
export function addReport(metrics: Metrics, answer: GateAnswer, report: LayerReport | undefined): void {
  const { layer } = answer;
  const tables = layer === 'maintenance' ? [] : (report?.tables ?? []);
  emit(metrics, { layer }, layer === 'maintenance' ? verdictCounts(answer) : layerCounts(answer, report));
  for (const { table, rows_out, quarantined, held } of tables) {
    const counts = { RowsOut: rows_out, Quarantined: quarantined, TablesHeld: held === null ? 0 : 1 };
    emit(metrics, { layer, table }, counts);
  }
  if (report?.partitions) {
    const age = metrics.singleMetric();
    age.addDimension('layer', layer);
    age.addMetric(
      'LandingGapAge',
      MetricUnit.Seconds,
      oldestGapSeconds(report.partitions, report.finished_at),
    );
  }
  if (report) {
    const duration = metrics.singleMetric();
    duration.addDimension('layer', layer);
    duration.addMetric('LayerDuration', MetricUnit.Milliseconds, report.duration_ms);
  }
}

function verdictCounts({ verdict, failures }: GateAnswer): Counts {
  return { GateFailed: verdict === 'fail' ? 1 : 0, GateFindings: failures.length };
}

function layerCounts(answer: GateAnswer, report: LayerReport | undefined): Counts {
  const tables = report?.tables ?? [];
  const sum = (value: (table: (typeof tables)[number]) => number) =>
    tables.reduce((total, table) => total + value(table), 0);
  return {
    ...verdictCounts(answer),
    TablesHeld: answer.held.length,
    RowsIn: sum((table) => table.rows_in),
    RowsOut: sum((table) => table.rows_out),
    Duplicates: sum((table) => table.duplicates),
    Quarantined: sum((table) => table.quarantined),
    LateEvents: sum((table) => table.late),
    LandingGaps: report?.partitions?.reduce((total, { gaps }) => total + gaps.length, 0) ?? 0,
  };
}

/** How long the oldest gap has been open; 0 without any, so that an alarm on it ends. */
function oldestGapSeconds(partitions: readonly PartitionReport[], at: string): number {
  const opened = partitions.flatMap(({ gaps }) => gaps.map(({ since }) => Date.parse(since)));
  return opened.length === 0 ? 0 : Math.max(0, Date.parse(at) - Math.min(...opened)) / 1000;
}

function emit(metrics: Metrics, dimensions: Record<string, string>, counts: Counts): void {
  metrics.addDimensions(dimensions);
  for (const [name, value] of Object.entries(counts)) metrics.addMetric(name, MetricUnit.Count, value);
  metrics.publishStoredMetrics();
}
