import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { verdictOf } from '../../../functions/cdc/report.ts';
import type { SlotRow } from '../../../functions/cdc/source-queries.ts';
import { addCounts } from '../../../functions/enrich/counts-metrics.ts';
import { addReport } from '../../../functions/gate/report-metrics.ts';
import { addLook } from '../../../functions/preflight/look-metrics.ts';
import { assess } from '../../../functions/slot-monitor/assess.ts';
import type { Series } from '../../../resources/alarm.ts';
import { alarmsOf, type Watched, watchedBy } from '../../../resources/alarms.ts';
import { dashboardBody } from '../../../resources/dashboard.ts';
import { soundReport } from '../../statemachines/spark-worker.ts';
import { type EmittedMetric, emittedBy, NAMESPACE } from './emitted-metrics.ts';
import { stageContext } from './stage-context.ts';

const FUNCTIONS = join(import.meta.dirname, '..', '..', '..', 'functions');
const NOW = new Date('2026-01-01T00:00:00.000Z');

/** Functions that name their metrics where they talk to others; these have no dimension but the function's name. */
const KEEPERS = ['connector', 'pipe-keeper'];

let watched: Watched;
let emitted: EmittedMetric[];

beforeAll(async () => {
  watched = await watchedBy(stageContext('dev', { nameStage: 'dev' }));
  emitted = [
    ...watched.deliveries.flatMap(({ table }) => enriched(table)),
    ...judged(),
    ...lookedAt(),
    ...measured(),
    ...kept(),
  ];
});

describe('what alarms and dashboard ask for', () => {
  it('is in each alarm a metric that a function emits, with exactly those dimensions', () => {
    const own = alarmsOf(watched)
      .flatMap(({ series }) => series)
      .filter(({ namespace }) => namespace === NAMESPACE);
    expect(own.length).toBeGreaterThan(10);
    for (const series of own) expect(emitted.map(identity)).toContain(identity(series));
  });

  it('is on the dashboard a metric that a function emits, with exactly those dimensions', () => {
    const own = linesOfDashboard().filter(([namespace]) => namespace === NAMESPACE);
    expect(own.length).toBeGreaterThan(10);
    for (const [namespace, metric, ...rest] of own) {
      const names = rest.filter((part) => typeof part === 'string') as string[];
      const pairs = names.flatMap((name, index) => (index % 2 === 0 ? [[name, names[index + 1]]] : []));
      const asked = {
        namespace: String(namespace),
        metric: String(metric),
        dimensions: Object.fromEntries(pairs),
      };
      expect(emitted.map(identity)).toContain(identity(asked));
    }
  });

  it('is in each of the dashboard’s searches a set of dimensions and a metric that a function emits', () => {
    const searches = linesOfDashboard()
      .map(([line]) => (line as { expression?: string } | undefined)?.expression ?? '')
      .filter((expression) => expression.includes(`{${NAMESPACE},`));
    expect(searches.length).toBeGreaterThan(3);
    for (const expression of searches) {
      const [, keys = ''] = /\{[^,]+,([^}]+)\}/.exec(expression) ?? [];
      const [, metric] = /MetricName="([^"]+)"/.exec(expression) ?? [];
      const [, service] = /service="([^"]+)"/.exec(expression) ?? [];
      const found = emitted.filter((one) => one.metric === metric && one.dimensions['service'] === service);
      expect(found.map(({ dimensions }) => Object.keys(dimensions).sort().join())).toContain(keys);
    }
  });
});

function enriched(table: string): EmittedMetric[] {
  const quarantined = { 'invalid-json': 1 };
  const counts = { records: 2, events: 1, tombstones: 0, quarantined, packs: 1, spilled: 0, lagMs: 5 };
  return emittedBy('enrich', (metrics) => addCounts(metrics, counts, table));
}

function judged(): EmittedMetric[] {
  return (['bronze', 'silver', 'gold'] as const).flatMap((layer) => {
    const report = soundReport('r', layer);
    return emittedBy('gate', (metrics) => addReport(metrics, verdictOf(report), report));
  });
}

function lookedAt(): EmittedMetric[] {
  const decision = { go: true, refuse: null, reason: '', warnings: [], alert: null, source: null as never };
  return emittedBy('preflight', (metrics) =>
    addLook(metrics, decision, { unreachable: 'x' }, NOW.toISOString(), NOW),
  );
}

function measured(): EmittedMetric[] {
  const slot = { active: true, retained_bytes: '1', lag_bytes: '1', wal_status: 'reserved' } as SlotRow;
  const { measures } = assess('cdc_demo_dev', { slot, heartbeatAge: 1 }, 100n);
  return Object.keys(measures).map((metric) => ownMetric('slot-monitor', metric));
}

function kept(): EmittedMetric[] {
  return KEEPERS.flatMap((service) => {
    const source = readdirSync(join(FUNCTIONS, service))
      .map((file) => readFileSync(join(FUNCTIONS, service, file), 'utf8'))
      .join('\n');
    expect(source).not.toContain('addDimension');
    return [...source.matchAll(/addMetric\('(\w+)'/g)].map(([, metric]) =>
      ownMetric(service, metric as string),
    );
  });
}

function ownMetric(service: string, metric: string): EmittedMetric {
  return { namespace: NAMESPACE, metric, dimensions: { service } };
}

function linesOfDashboard(): unknown[][] {
  const { widgets } = dashboardBody(watched, alarmsOf(watched));
  return widgets.flatMap(({ properties }) => (properties as { metrics?: unknown[][] }).metrics ?? []);
}

/** Namespace, name and dimensions, in any order, make a metric. */
function identity({
  namespace,
  metric,
  dimensions,
}: Pick<Series, 'namespace' | 'metric' | 'dimensions'>): string {
  const pairs = Object.entries(dimensions).map(([name, value]) => `${name}=${String(value)}`);
  return `${namespace} ${metric} ${pairs.sort().join(' ')}`;
}
