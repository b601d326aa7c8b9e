/** How the lake stands, by the newest reports of its layers. */
import type { S3Client } from '@aws-sdk/client-s3';
import { type Layer, latestReportKey } from '../functions/cdc/names.ts';
import { type LayerReport, type TableReport, verdictOf } from '../functions/cdc/report.ts';
import { readJson } from '../functions/preflight/stored-json.ts';
import type { LayerStatus, ModelStatus, TableStatus } from './world.ts';

const LAYERS = ['bronze', 'silver', 'gold'] as const;

export type LayerReports = Partial<Record<Layer, LayerReport>>;

/** The newest report of each layer; a layer that has not run has none. */
export async function readLatestReports(s3: S3Client, bucket: string): Promise<LayerReports> {
  const found = await Promise.all(
    LAYERS.map(
      async (layer) => [layer, await readJson<LayerReport>(s3, bucket, latestReportKey(layer))] as const,
    ),
  );
  return Object.fromEntries(found.filter(([, report]) => report));
}

/** What the lake knows of a table. */
export function inLake(
  id: string,
  { bronze, silver }: LayerReports,
): Pick<TableStatus, 'last_lsn' | 'bronze' | 'silver' | 'quarantined' | 'last_gate'> {
  const inBronze = bronze?.tables.find(({ table }) => table === id);
  const inSilver = silver?.tables.find(({ table }) => table === id);
  return {
    last_lsn: inSilver?.high_water_lsn ?? inBronze?.high_water_lsn ?? null,
    bronze: inBronze?.total_rows ?? null,
    silver: inSilver?.total_rows ?? null,
    quarantined: inBronze?.quarantined ?? null,
    last_gate: inSilver ? verdictOn(inSilver) : inBronze ? verdictOn(inBronze) : null,
  };
}

export function modelsOf({ gold }: LayerReports): ModelStatus[] {
  return (gold?.tables ?? []).map((entry) => ({
    model: entry.table,
    rows: entry.total_rows,
    last_gate: verdictOn(entry),
  }));
}

export function layersOf(reports: LayerReports): LayerStatus[] {
  return Object.values(reports).map((report) => {
    const { verdict, reason } = verdictOf(report);
    const { layer, run_id, finished_at, batch } = report;
    return { layer, run_id, finished_at, batch, verdict, reason };
  });
}

function verdictOn({ held, checks }: TableReport): string {
  if (held !== null) return `held: ${held}`;
  const broken = checks.filter(({ passed }) => !passed);
  if (broken.some(({ severity }) => severity === 'fail')) return 'fail';
  return broken.length > 0 ? `warn: ${broken.map(({ name }) => name).join(', ')}` : 'pass';
}
