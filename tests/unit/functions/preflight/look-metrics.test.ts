import { type Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { describe, expect, it } from '@jest/globals';
import type { Decision } from '../../../../functions/preflight/decide.ts';
import { addLook } from '../../../../functions/preflight/look-metrics.ts';

const NOW = new Date('2026-01-01T10:00:00.000Z');
const decision: Decision = {
  go: true,
  refuse: null,
  reason: 'the run was asked for',
  warnings: [],
  alert: null,
  source: { epoch: 1, system_identifier: null, timeline: null, lsn: null, cluster: null },
};

function looked(goldCurrentAt: string | null): Record<string, [string, number]> {
  const added: Record<string, [string, number]> = {};
  const metrics = {
    addMetric: (name: string, unit: string, value: number) => {
      added[name] = [unit, value];
    },
  };
  addLook(metrics as Metrics, decision, { unreachable: 'stopped' }, goldCurrentAt, NOW);
  return added;
}

describe('the metrics of preflight', () => {
  it('say for how many seconds gold has lacked something', () => {
    expect(looked('2026-01-01T09:30:00.000Z')).toMatchObject({ GoldAge: [MetricUnit.Seconds, 1800] });
  });

  it('leave out what is not known: gold before its first run, a source that does not answer', () => {
    expect(Object.keys(looked(null))).toEqual(['PreflightWarnings', 'PreflightRefused']);
  });
});
