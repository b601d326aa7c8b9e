import { describe, expect, it } from '@jest/globals';
import { pauseAfter, runContinuously } from '../../../local/loop.ts';

describe('the loop', () => {
  it('looks every second, and less and less often while runs fail', () => {
    expect([0, 1, 2, 3, 4, 5, 50].map(pauseAfter)).toEqual([
      1_000, 5_000, 10_000, 20_000, 40_000, 60_000, 60_000,
    ]);
  });

  it('outlives an endpoint that does not answer, and says so', async () => {
    const stopping = new AbortController();
    const trouble: string[] = [];
    await runContinuously({
      endpointUrl: 'http://127.0.0.1:1',
      medallionArn: 'arn:aws:states:us-east-1:123456789012:stateMachine:none',
      bucket: 'none',
      registry: { tables: [] },
      signal: stopping.signal,
      onTrouble: (message) => {
        trouble.push(message);
        stopping.abort();
      },
    });
    expect(trouble).toEqual([expect.stringMatching(/does not answer: .*ECONNREFUSED/)]);
  });
});
