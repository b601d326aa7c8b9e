import { act, type Clients } from './act.ts';
import { readRequest, type Sender } from './request.ts';
import { type Outcome, wasNeverCreated } from './response.ts';

/**
 * How a request of CloudFormation ends. Never throws, and takes at most `withinMs`: whatever goes wrong is a failure
 * with a reason, because CloudFormation would wait an hour for a missing answer.
 */
export async function outcomeOf(
  event: unknown,
  sender: Sender,
  clients: Clients,
  withinMs: number,
): Promise<Outcome> {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), withinMs);
  try {
    return { attributes: await act(readRequest(event), clients, over.signal) };
  } catch (error) {
    const reason = over.signal.aborted ? lateReason(withinMs) : (error as Error).message;
    // What was never made has nothing to be taken away: the try was for what a failed creation may have left.
    if (wasNeverCreated(sender) && isDelete(event)) return { attributes: {} };
    return { failure: reason };
  } finally {
    clearTimeout(timer);
  }
}

function lateReason(withinMs: number): string {
  return `It was not done within ${Math.round(withinMs / 1000)} s and may still be going on; see the log of the function that the resource names, then try again.`;
}

function isDelete(event: unknown): boolean {
  return (event as { RequestType?: unknown } | null)?.RequestType === 'Delete';
}
