import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { followThroughFunction } from '../../../../local/stage/events.ts';
import type { Place } from '../../../../local/stage/place.ts';
import type { TopicRecord } from '../../../../local/world.ts';

const lambda = mockClient(LambdaClient);
const PLACE = {
  stage: 'dev',
  region: 'us-east-1',
  account: '1',
  name: (part?: string) => `p-${part}`,
} as Place;

function payload(answer: object, more: object = {}) {
  return { Payload: { transformToString: () => JSON.stringify(answer) }, ...more } as object;
}

function unreadable(offset: string): TopicRecord {
  return { offset, unreadable: 'x' };
}

/** Follows until so many records have come. */
async function follow(count: number, fromBeginning = true): Promise<string[]> {
  const stop = new AbortController();
  const offsets: string[] = [];
  await followThroughFunction(new LambdaClient({}), PLACE, 'public.users', {
    fromBeginning,
    signal: stop.signal,
    onRecord({ offset }) {
      offsets.push(offset);
      if (offsets.length === count) stop.abort();
    },
  });
  return offsets;
}

beforeEach(() => {
  lambda.reset();
});

describe('following a topic through the function', () => {
  it('goes on where each answer ended, and waits over answers without news', async () => {
    lambda
      .on(InvokeCommand)
      .resolvesOnce(payload({ records: [unreadable('0'), unreadable('1')], next: { 0: '2' } }))
      .resolvesOnce(payload({ records: [], next: { 0: '2' } }))
      .resolvesOnce(payload({ records: [unreadable('2')], next: { 0: '3' } }));
    expect(await follow(3)).toEqual(['0', '1', '2']);
    const asked = lambda
      .commandCalls(InvokeCommand)
      .map(({ args }) => JSON.parse(String(args[0].input.Payload)));
    expect(asked.map(({ from }) => from)).toEqual(['beginning', { 0: '2' }, { 0: '2' }]);
    expect(asked[0]).toMatchObject({ table: 'public.users' });
  });

  it('begins at the end unless told otherwise', async () => {
    lambda.on(InvokeCommand).resolves(payload({ records: [unreadable('9')], next: {} }));
    await follow(1, false);
    expect(JSON.parse(String(lambda.commandCalls(InvokeCommand)[0]?.args[0].input.Payload)).from).toBe('end');
  });

  it('ends with what the function says when it fails', async () => {
    lambda
      .on(InvokeCommand)
      .resolves(payload({ errorMessage: 'Kafka does not answer' }, { FunctionError: 'Unhandled' }));
    await expect(follow(1)).rejects.toThrow(
      /p-events failed: Kafka does not answer\. Its log: `npx sls logs -f events/,
    );
  });
});
