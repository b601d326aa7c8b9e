import { setTimeout as pause } from 'node:timers/promises';
import type { Admin, ITopicConfig, KafkaJSError } from 'kafkajs';

const LED_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 100;

/**
 * Makes topics and waits until every partition of theirs has a leader.
 *
 * kafkajs's own wait fails where the broker has not yet heard of what its controller made: it takes
 * UNKNOWN_TOPIC_OR_PARTITION for the last word.
 * @returns false when all of them were there already
 * @throws what the broker said last when a partition has no leader in time
 */
export async function createTopics(admin: Admin, topics: ITopicConfig[]): Promise<boolean> {
  const made = await admin.createTopics({ waitForLeaders: false, timeout: LED_WITHIN_MS, topics });
  const names = topics.map(({ topic }) => topic);
  for (const deadline = Date.now() + LED_WITHIN_MS; ; await pause(LOOK_EVERY_MS)) {
    try {
      await admin.fetchTopicMetadata({ topics: names });
      return made;
    } catch (error) {
      if (!isPassing(error as KafkaJSError) || Date.now() > deadline) throw error;
    }
  }
}

/** Whether it is one that goes by, also after kafkajs has tried often enough. */
function isPassing({ retriable, cause }: KafkaJSError & { cause?: unknown }): boolean {
  return retriable || (cause as KafkaJSError | undefined)?.retriable === true;
}
