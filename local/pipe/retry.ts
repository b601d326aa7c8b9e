import { setTimeout as pause } from 'node:timers/promises';

export type Backoff = { firstMs: number; maxMs: number };

/**
 * Repeats until it succeeds, as a pipe and Firehose do, with doubling pauses.
 * @param onFailure told of each failure and the pause that follows it
 * @throws the signal's reason when it is aborted.
 */
export async function untilDone<Answer>(
  attempt: () => Promise<Answer>,
  { firstMs, maxMs }: Backoff,
  signal: AbortSignal,
  onFailure: (error: Error, pauseMs: number) => void,
): Promise<Answer> {
  for (let pauseMs = firstMs; ; pauseMs = Math.min(pauseMs * 2, maxMs)) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      signal.throwIfAborted();
      onFailure(error as Error, pauseMs);
    }
    await pause(pauseMs, null, { signal });
  }
}
