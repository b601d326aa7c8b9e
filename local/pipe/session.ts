import type { KafkaJSProtocolError } from 'kafkajs';

/** Kafka's answers to a member that is no longer, or not yet again, part of its group (https://kafka.apache.org/protocol#protocol_error_codes). */
const LOST = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'REBALANCE_IN_PROGRESS']);

/**
 * The answer among an error's causes that says that the member must join its group again; null when there is none.
 * kafkajs wraps it, but joins again only for the answer itself.
 */
export function lostSession(error: unknown): KafkaJSProtocolError | null {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (LOST.has((at as KafkaJSProtocolError).type)) return at as KafkaJSProtocolError;
  }
  return null;
}
