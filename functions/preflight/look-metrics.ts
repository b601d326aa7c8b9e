import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Decision } from './decide.ts';
import type { SourceLook } from './look.ts';

/**
 * Emits what preflight saw.
 * @param goldCurrentAt until when gold has everything that had landed; null: nothing was ever taken
 */
export function addLook(
  metrics: Metrics,
  decision: Decision,
  source: SourceLook,
  goldCurrentAt: string | null,
  now: Date,
): void {
  metrics.addMetric('PreflightWarnings', MetricUnit.Count, decision.warnings.length);
  metrics.addMetric('PreflightRefused', MetricUnit.Count, decision.refuse === null ? 0 : 1);
  if ('slot' in source && source.slot?.lag_bytes) {
    metrics.addMetric('SlotLag', MetricUnit.Bytes, Number(source.slot.lag_bytes));
  }
  if (goldCurrentAt !== null) {
    const age = Math.max(0, now.getTime() - Date.parse(goldCurrentAt)) / 1000;
    metrics.addMetric('GoldAge', MetricUnit.Seconds, age);
  }
}
