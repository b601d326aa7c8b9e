import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { GateAnswer, LayerReport } from '../cdc/report.ts';

type Counts = Record<string, number>;

/** Emits what a layer did by layer, and what was held or quarantined by table, too. */
export function addReport(metrics: Metrics, answer: GateAnswer, report: LayerReport | undefined): void {
  const { layer } = answer;
  emit(metrics, { layer }, layerCounts(answer, report));
  for (const { table, rows_out, quarantined, held } of report?.tables ?? []) {
    const counts = { RowsOut: rows_out, Quarantined: quarantined, TablesHeld: held === null ? 0 : 1 };
    emit(metrics, { layer, table }, counts);
  }
  if (report) {
    const duration = metrics.singleMetric();
    duration.addDimension('layer', layer);
    duration.addMetric('LayerDuration', MetricUnit.Milliseconds, report.duration_ms);
  }
}

function layerCounts({ verdict, failures, held }: GateAnswer, report: LayerReport | undefined): Counts {
  const tables = report?.tables ?? [];
  const sum = (value: (table: (typeof tables)[number]) => number) =>
    tables.reduce((total, table) => total + value(table), 0);
  return {
    GateFailed: verdict === 'fail' ? 1 : 0,
    GateFindings: failures.length,
    TablesHeld: held.length,
    RowsIn: sum((table) => table.rows_in),
    RowsOut: sum((table) => table.rows_out),
    Duplicates: sum((table) => table.duplicates),
    Quarantined: sum((table) => table.quarantined),
    LateEvents: sum((table) => table.late),
    LandingGaps: report?.partitions?.reduce((total, { gaps }) => total + gaps.length, 0) ?? 0,
  };
}

function emit(metrics: Metrics, dimensions: Record<string, string>, counts: Counts): void {
  metrics.addDimensions(dimensions);
  for (const [name, value] of Object.entries(counts)) metrics.addMetric(name, MetricUnit.Count, value);
  metrics.publishStoredMetrics();
}
