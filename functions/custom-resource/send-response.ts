import { setTimeout as pause } from 'node:timers/promises';

const ATTEMPTS = 6;
const FIRST_PAUSE_MS = 200;
const ATTEMPT_TIMEOUT_MS = 5_000;

/**
 * Puts the response where CloudFormation waits for it; an unreachable or busy S3 is tried again.
 * @param firstPauseMs before the second attempt; each further one is twice as long
 * @throws Error when it isn't taken: CloudFormation then waits until its own time-out
 */
export async function sendResponse(url: string, text: string, firstPauseMs = FIRST_PAUSE_MS): Promise<void> {
  let failure = '';
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (attempt > 0) await pause(firstPauseMs * 2 ** (attempt - 1));
    const answer = await put(url, text);
    if (typeof answer === 'number' && answer < 300) return;
    failure = typeof answer === 'number' ? `S3 answered ${answer}` : answer;
    if (typeof answer === 'number' && answer < 500 && answer !== 429) break;
  }
  throw new Error(
    `CloudFormation could not be answered: ${failure}. It goes on waiting; the response was ${text}`,
  );
}

/** The status of the answer, or why there was none. */
async function put(url: string, text: string): Promise<number | string> {
  try {
    const answer = await fetch(url, {
      method: 'PUT',
      body: text,
      // The URL is signed for an empty content type.
      headers: { 'content-type': '' },
      signal: AbortSignal.timeout(ATTEMPT_TIMEOUT_MS),
    });
    await answer.body?.cancel();
    return answer.status;
  } catch (error) {
    const { message, cause } = error as Error & { cause?: Error };
    return cause?.message ?? message;
  }
}
