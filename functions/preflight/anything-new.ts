import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { type Layer, landingPrefix, landingRoot, latestReportKey } from '../cdc/names.ts';
import type { LandingListing, LayerReport } from '../cdc/report.ts';
import { readJson } from './stored-json.ts';

/** Where to look. `tables`: ids of the captured tables; `lookBackMs`: how old an hour's prefix may be. */
export type LandingZone = { bucket: string; tables: readonly string[]; lookBackMs: number };

/**
 * Whether a run has something to do. `landed`: an object that bronze has not taken. `unfinished`: the last run broke
 * or never came to a layer; whoever loops should wait a little then, for it may fail again.
 */
export type News = { kind: 'landed' | 'unfinished' | 'nothing'; reason: string };

/** How long bronze remembers what it listed: LastModified can be earlier than the moment a key appears. */
const REMEMBERED_MS = 10 * 60 * 1000;

/** What the layers last wrote. */
export type LatestReports = Partial<Record<Layer, LayerReport>>;

/**
 * Looks whether a run has something to do. Transaction metadata alone is no news: it comes with its tables' changes.
 */
export async function anythingNew(s3: S3Client, zone: LandingZone, now: Date): Promise<News> {
  const reports = await latestReports(s3, zone.bucket);
  const unfinished = unfinishedWork(reports);
  if (unfinished !== undefined) return { kind: 'unfinished', reason: unfinished };
  const listing = reports.bronze?.listing;
  if (listing?.left) return { kind: 'landed', reason: `${listing.left} files were left for the next run` };
  for (const table of zone.tables) {
    const key = await unseenKey(s3, zone, table, listing, now);
    if (key !== undefined) return { kind: 'landed', reason: `${key} has landed` };
  }
  return { kind: 'nothing', reason: 'nothing has landed since the last run' };
}

/** The newest report of each layer. */
export async function latestReports(s3: S3Client, bucket: string): Promise<LatestReports> {
  const [bronze, silver, gold] = await Promise.all(
    (['bronze', 'silver', 'gold'] as const).map((layer) =>
      readJson<LayerReport>(s3, bucket, latestReportKey(layer)),
    ),
  );
  return { ...(bronze && { bronze }), ...(silver && { silver }), ...(gold && { gold }) };
}

/**
 * Why the last run has to be completed; undefined when each layer's newest report is of the same run and none failed.
 * Batches don't tell: one that brings a layer nothing new leaves its number behind. A table that a check holds back
 * doesn't count either: it would be held again.
 */
export function unfinishedWork({ bronze, silver, gold }: LatestReports): string | undefined {
  for (const report of [bronze, silver, gold]) {
    if (report?.status === 'failed') return `the last ${report.layer} job failed: ${report.error}`;
  }
  if (bronze === undefined) return undefined;
  const layers = { silver, gold };
  for (const layer of ['silver', 'gold'] as const) {
    if (layers[layer]?.run_id !== bronze.run_id) return `run ${bronze.run_id} ended before ${layer}`;
  }
  return undefined;
}

/** A key of a table that bronze's last listing doesn't cover. Without a listing every key is one. */
async function unseenKey(
  s3: S3Client,
  { bucket, lookBackMs }: LandingZone,
  table: string,
  listing: LandingListing | undefined,
  now: Date,
): Promise<string | undefined> {
  const seen = new Set(listing?.recent);
  const oldest = listing ? landingPrefix(table, new Date(now.getTime() - lookBackMs)) : landingRoot(table);
  let token: string | undefined;
  do {
    const page = await s3.send(
      new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: landingRoot(table),
        ...(token ? { ContinuationToken: token } : { StartAfter: oldest }),
      }),
    );
    const unseen = page.Contents?.find(({ Key = '', LastModified }) =>
      isUnseen(Key, LastModified, seen, listing),
    );
    if (unseen) return unseen.Key;
    token = page.NextContinuationToken;
  } while (token !== undefined);
  return undefined;
}

/** Listed keys are remembered only for a while before the listing; what is older than that has been seen. */
function isUnseen(
  key: string,
  modified: Date | undefined,
  seen: ReadonlySet<string>,
  listing: LandingListing | undefined,
): boolean {
  if (listing === undefined) return true;
  const rememberedSince = Date.parse(listing.at) - REMEMBERED_MS;
  return !seen.has(key) && (modified?.getTime() ?? 0) > rememberedSince;
}
