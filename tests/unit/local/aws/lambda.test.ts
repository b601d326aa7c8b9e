import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Alone, startAlone } from './endpoint-only.ts';

let alone: Alone;
let lambda: LambdaClient;

beforeAll(async () => {
  alone = await startAlone();
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  lambda = new LambdaClient({
    endpoint: alone.endpoint.url,
    region: 'eu-central-1',
    credentials,
    maxAttempts: 1,
  });
});

afterAll(() => alone?.close());

async function invoke(event: unknown, FunctionName = 'answers') {
  const Payload = Buffer.from(typeof event === 'string' ? event : JSON.stringify(event));
  const {
    FunctionError,
    Payload: answer,
    StatusCode,
  } = await lambda.send(new InvokeCommand({ FunctionName, Payload }));
  return {
    error: FunctionError,
    status: StatusCode,
    answer: JSON.parse(Buffer.from(answer ?? []).toString() || 'null'),
  };
}

describe('Lambda Invoke', () => {
  it('answers with what the handler returns, from one warm sandbox', async () => {
    const first = await invoke({ do: 'echo', text: 'schöner 🐘' });
    const second = await invoke({ do: 'echo' });
    expect(first).toMatchObject({ error: undefined, status: 200, answer: { event: { text: 'schöner 🐘' } } });
    expect(second.answer.calls).toBe(first.answer.calls + 1);
  });

  it.each([
    'answers',
    'arn:aws:lambda:eu-central-1:123456789012:function:answers',
    'arn:aws:lambda:eu-central-1:123456789012:function:answers:$LATEST',
    '123456789012:function:answers',
  ])('takes the function’s name as %s', async (name) => {
    expect((await invoke({ do: 'echo' }, name)).error).toBeUndefined();
  });

  it('does not count the loading of a module as the time of its first call', async () => {
    expect(await invoke({}, 'slow')).toMatchObject({ error: undefined, answer: 'loaded' });
  });

  it('gives the handler a context with its time', async () => {
    const { answer } = await invoke({ do: 'context' });
    expect(answer).toMatchObject({
      awsRequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      functionName: 'answers',
      invokedFunctionArn: 'arn:aws:lambda:eu-central-1:123456789012:function:answers',
    });
    expect(answer.left).toBeGreaterThan(500);
    expect(answer.left).toBeLessThanOrEqual(2000);
  });

  it('gives the handler Lambda’s environment and its own, and nothing of this process', async () => {
    process.env['SECRET_OF_THIS_MACHINE'] = 'x';
    const { answer } = await invoke({ do: 'environment' });
    expect(answer).toMatchObject({
      OWN: 'answers',
      AWS_REGION: 'eu-central-1',
      AWS_LAMBDA_FUNCTION_NAME: 'answers',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128',
      AWS_ENDPOINT_URL: alone.endpoint.url,
      TZ: 'UTC',
    });
    expect(answer).not.toHaveProperty('SECRET_OF_THIS_MACHINE');
  });

  it('answers an error as the Node.js runtime does', async () => {
    const { error, status, answer } = await invoke({ do: 'throw' });
    expect({ error, status }).toEqual({ error: 'Unhandled', status: 200 });
    expect(answer).toMatchObject({ errorType: 'NotSound', errorMessage: '3 rows are wrong' });
    expect(answer.trace[0]).toBe('NotSound: 3 rows are wrong');
  });

  it('tells each call of a function that can’t be loaded why', async () => {
    for (const _ of [1, 2]) {
      const { error, answer } = await invoke({}, 'broken');
      expect(error).toBe('Unhandled');
      expect(answer.errorMessage).toBe('The environment of broken is wrong: BUCKET is missing');
    }
  });

  it.each(['hang', 'spin'])(
    'ends a handler that takes too long (%s), and the next call gets a new sandbox',
    async (how) => {
      const { error, answer } = await invoke({ do: how });
      expect(error).toBe('Unhandled');
      expect(answer.errorType).toBe('Sandbox.Timedout');
      expect(answer.errorMessage).toMatch(/^RequestId: \S+ Error: Task timed out after 2.00 seconds$/);
      expect((await invoke({ do: 'echo' })).answer.calls).toBe(1);
    },
  );

  it.each([
    ['exit', 'Runtime exited with error: exit status 3'],
    ['crash later', 'Runtime exited: SyntaxError'],
  ])('survives a handler that takes its process down (%s)', async (how, message) => {
    const { answer } = await invoke({ do: how });
    expect(answer.errorType).toBe('Runtime.ExitError');
    expect(answer.errorMessage).toContain(message);
    expect((await invoke({ do: 'echo' })).answer.calls).toBe(1);
  });

  it('allows 6 MB each way, and no more', async () => {
    const limit = 6 * 1024 * 1024;
    expect((await invoke({ do: 'grow', bytes: limit - 2 })).error).toBeUndefined();
    const { answer } = await invoke({ do: 'grow', bytes: limit - 1 });
    expect(answer.errorType).toBe('Function.ResponseSizeTooLarge');
    await expect(invoke({ do: 'echo', text: 'x'.repeat(limit) })).rejects.toMatchObject({
      name: 'RequestTooLargeException',
      $metadata: { httpStatusCode: 413 },
    });
  });

  it('refuses what is no JSON, and functions that it hasn’t', async () => {
    await expect(invoke('{no')).rejects.toMatchObject({ name: 'InvalidRequestContentException' });
    await expect(invoke({}, 'nobody')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it('takes an event without waiting, and says when it was lost', async () => {
    const Payload = Buffer.from(JSON.stringify({ do: 'throw' }));
    const { StatusCode } = await lambda.send(
      new InvokeCommand({ FunctionName: 'answers', InvocationType: 'Event', Payload }),
    );
    expect(StatusCode).toBe(202);
    await until(() => alone.lost.length > 0);
    expect(alone.lost[0]).toContain('3 rows are wrong');
  });

  it('runs as many events at once as there are calls, and hands on what functions write', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => invoke({ do: 'log' })));
    expect(answers.every(({ error }) => error === undefined)).toBe(true);
    await until(() => alone.output.join('').split('a line of the log').length - 1 === 3);
  });
});

async function until(happened: () => boolean): Promise<void> {
  for (
    const deadline = Date.now() + 60_000;
    !happened();
    await new Promise((resolve) => setTimeout(resolve, 10))
  ) {
    if (Date.now() > deadline) throw new Error('It did not happen within 60 s');
  }
}
