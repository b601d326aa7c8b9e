import { UsageError } from '../usage-error.ts';

/** Runs SQL in the lake through the Spark worker. @throws UsageError with Spark's message for wrong SQL */
export async function queryLake(
  sparkUrl: string,
  sql: string,
  limit: number,
  signal?: AbortSignal,
): Promise<{ columns: string[]; rows: unknown[][] }> {
  const answer = await fetch(`${sparkUrl}/query`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ sql, limit }),
    ...(signal ? { signal } : {}),
  });
  const body = (await answer.json()) as {
    error?: string;
    columns?: { name: string }[];
    rows?: unknown[][];
  };
  if (!answer.ok || !body.columns || !body.rows)
    throw new UsageError(body.error ?? `Spark said ${answer.status}`);
  return { columns: body.columns.map(({ name }) => name), rows: body.rows };
}
