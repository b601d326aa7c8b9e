import { Metrics } from '@aws-lambda-powertools/metrics';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { verdictOf } from '../../../../functions/cdc/report.ts';
import { addReport } from '../../../../functions/gate/report-metrics.ts';
import { heldTable, soundReport, soundTable } from '../../../statemachines/spark-worker.ts';

type Emitted = Record<string, unknown> & { _aws: { CloudWatchMetrics: { Dimensions: string[][] }[] } };

const emitted: Emitted[] = [];

beforeEach(() => {
  emitted.length = 0;
  // In development mode metrics go through the console, where they can be read; they would be off, though.
  process.env['POWERTOOLS_DEV'] = 'true';
  process.env['POWERTOOLS_METRICS_DISABLED'] = 'false';
  jest.spyOn(console, 'log').mockImplementation((text: string) => void emitted.push(JSON.parse(text)));
});

afterEach(() => {
  jest.restoreAllMocks();
  delete process.env['POWERTOOLS_DEV'];
  delete process.env['POWERTOOLS_METRICS_DISABLED'];
});

describe('the metrics of a gate', () => {
  it('tell what a layer did, and what each table did', () => {
    const tables = [soundTable('public.users', { rows_in: 5, rows_out: 4 }), heldTable('public.orders')];
    const report = soundReport('r', 'silver', { tables, duration_ms: 1234 });
    addReport(new Metrics({ namespace: 'cdc_demo_dev', serviceName: 'gate' }), verdictOf(report), report);
    const layer = emitted.find((found) => 'GateFailed' in found);
    expect(layer).toMatchObject({ layer: 'silver', GateFailed: 1, TablesHeld: 1, RowsIn: 15, RowsOut: 13 });
    expect(layer).not.toHaveProperty('table');
    const orders = emitted.find(({ table }) => table === 'public.orders');
    expect(orders).toMatchObject({ layer: 'silver', TablesHeld: 1 });
    expect(orders?._aws.CloudWatchMetrics[0]?.Dimensions[0]).toEqual(
      expect.arrayContaining(['layer', 'table']),
    );
    expect(emitted.find((found) => 'LayerDuration' in found)).toMatchObject({
      layer: 'silver',
      LayerDuration: 1234,
    });
  });

  it('tell of maintenance only the verdict and how long it took', () => {
    const tables = [soundTable('cdc_demo_dev_landed'), heldTable('cdc_demo_dev_silver_orders')];
    const report = soundReport('r', 'maintenance', { tables, duration_ms: 1234 });
    addReport(new Metrics({ namespace: 'cdc_demo_dev', serviceName: 'gate' }), verdictOf(report), report);
    expect(emitted).toHaveLength(2);
    expect(emitted[0]).toMatchObject({ layer: 'maintenance', GateFailed: 1, GateFindings: 1 });
    expect(emitted[0]).not.toHaveProperty('RowsIn');
    expect(emitted[1]).toMatchObject({ layer: 'maintenance', LayerDuration: 1234 });
  });

  it('tell how long the oldest gap has been open, and that there is none', () => {
    const gap = (since: string) => ({ from: '3', to: '4', since });
    const partition = { topic: 'cdc.public.users', partition: 0, frontier: '2', highest: '9' };
    const gaps = [gap('2026-01-01T09:00:00Z'), gap('2026-01-01T08:30:00Z')];
    const finished_at = '2026-01-01T10:00:00Z';
    for (const [found, age] of [
      [gaps, 5400],
      [[], 0],
    ] as const) {
      emitted.length = 0;
      const partitions = [{ ...partition, gaps: [...found] }];
      const report = soundReport('r', 'bronze', { partitions, finished_at });
      addReport(new Metrics({ namespace: 'cdc_demo_dev', serviceName: 'gate' }), verdictOf(report), report);
      expect(emitted.find((line) => 'LandingGapAge' in line)).toMatchObject({
        layer: 'bronze',
        LandingGapAge: age,
      });
    }
  });
});
