import type { LatestReports, News } from './anything-new.ts';

/**
 * Until when gold has everything that had landed: ISO 8601, null before anything was taken. It moves on with a run that
 * took all there was and held nothing back, and with every look that finds nothing new behind such a run; runs that fail
 * leave it where it is, so that its age is the time that gold lacks something.
 * @param remembered what the last look came to
 */
export function goldCurrentAt(
  reports: LatestReports,
  news: News,
  remembered: string | null,
  now: Date,
): string | null {
  if (!isComplete(reports)) return remembered ?? reports.bronze?.started_at ?? null;
  if (news.kind === 'nothing') return now.toISOString();
  const listed = reports.bronze?.listing?.at ?? null;
  return remembered !== null && (listed === null || remembered > listed) ? remembered : listed;
}

/** Whether the layers' newest reports are of one run, which took every file, broke nowhere and held nothing back. */
function isComplete({ bronze, silver, gold }: LatestReports): boolean {
  if (bronze === undefined || silver === undefined || gold === undefined) return false;
  const layers = [bronze, silver, gold];
  return (
    !bronze.listing?.left &&
    layers.every(({ run_id, status }) => run_id === bronze.run_id && status === 'ok') &&
    layers.every(({ tables }) => tables.every(({ held }) => held === null))
  );
}
