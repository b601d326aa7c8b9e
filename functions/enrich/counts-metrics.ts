import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { EnrichCounts } from './enrich.ts';

/** Adds what became of a batch to the invocation's metrics; quarantined records once for each reason. */
export function addCounts(metrics: Metrics, counts: EnrichCounts, table: string): void {
  metrics.addDimension('table', table);
  metrics.addMetric('Records', MetricUnit.Count, counts.records);
  metrics.addMetric('Packs', MetricUnit.Count, counts.packs);
  metrics.addMetric('SpilledPacks', MetricUnit.Count, counts.spilled);
  if (counts.lagMs !== null) metrics.addMetric('SourceToLandingLag', MetricUnit.Milliseconds, counts.lagMs);
  for (const [reason, records] of Object.entries(counts.quarantined)) {
    const byReason = metrics.singleMetric();
    byReason.addDimensions({ table, reason });
    byReason.addMetric('QuarantinedRecords', MetricUnit.Count, records);
  }
}
