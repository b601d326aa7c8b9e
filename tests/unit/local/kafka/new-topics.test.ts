import { describe, expect, it } from '@jest/globals';
import { type Admin, KafkaJSProtocolError } from 'kafkajs';
import { createTopics } from '../../../../local/kafka/new-topics.ts';

const TOPIC = { topic: 'cdc.public.users', numPartitions: 1 };

/** A broker that answers questions for topics with these errors first, one each, and then with the topics. */
function adminThatFails(errors: Error[], made = true) {
  const asked: string[][] = [];
  const admin = {
    createTopics: async () => made,
    fetchTopicMetadata: async ({ topics }: { topics: string[] }) => {
      asked.push(topics);
      const error = errors.shift();
      if (error) throw error;
      return { topics: [] };
    },
  } as unknown as Admin;
  return { admin, asked };
}

function refusal(type: string, retriable: boolean): Error {
  return new KafkaJSProtocolError({ type, retriable, code: 0, message: type } as unknown as Error);
}

describe('new topics', () => {
  it('wait for a broker that has not heard of them yet', async () => {
    const { admin, asked } = adminThatFails([
      refusal('UNKNOWN_TOPIC_OR_PARTITION', true),
      refusal('LEADER_NOT_AVAILABLE', true),
    ]);
    expect(await createTopics(admin, [TOPIC])).toBe(true);
    expect(asked).toEqual([[TOPIC.topic], [TOPIC.topic], [TOPIC.topic]]);
  });

  it('fail at once with an error that does not go by', async () => {
    const { admin, asked } = adminThatFails([refusal('TOPIC_AUTHORIZATION_FAILED', false)]);
    await expect(createTopics(admin, [TOPIC])).rejects.toThrow('TOPIC_AUTHORIZATION_FAILED');
    expect(asked).toHaveLength(1);
  });

  it('are told from those that are there already', async () => {
    expect(await createTopics(adminThatFails([], false).admin, [TOPIC])).toBe(false);
  });
});
