import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetBootstrapBrokersCommand, KafkaClient } from '@aws-sdk/client-kafka';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { outcomeOf } from '../../../../functions/custom-resource/answer.ts';
import { readSender } from '../../../../functions/custom-resource/request.ts';
import { responseText } from '../../../../functions/custom-resource/response.ts';
import { sendResponse } from '../../../../functions/custom-resource/send-response.ts';

const lambda = mockClient(LambdaClient);
const kafka = mockClient(KafkaClient);
const clients = { lambda: new LambdaClient({}), kafka: new KafkaClient({}) };
const FUNCTION = 'arn:aws:lambda:us-east-1:123456789012:function:cdc-demo-dev-source';
const CLUSTER =
  'arn:aws:kafka:us-east-1:123456789012:cluster/cdc-demo-dev/11111111-2222-3333-4444-555555555555-1';

beforeEach(() => {
  lambda.reset();
  kafka.reset();
});

/** What CloudFormation sends, and what it then gets. */
async function answer(change: Record<string, unknown>, withinMs = 10_000) {
  const event = {
    RequestType: 'Create',
    ResponseURL: 'https://cloudformation.example/response?signature=secret',
    StackId: 'arn:aws:cloudformation:us-east-1:123456789012:stack/cdc-demo-dev/6b1f0a50-0000-11f0',
    RequestId: '5a0f6c1e',
    LogicalResourceId: 'SourcePreparation',
    ResourceType: 'Custom::Source',
    ...change,
  };
  const sender = readSender(event);
  const text = responseText(sender, await outcomeOf(event, sender, clients, withinMs));
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4096);
  return JSON.parse(text) as Record<string, unknown>;
}

function functionAnswers(value: unknown, FunctionError?: string): void {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const Payload = Object.assign(new TextEncoder().encode(text), { transformToString: () => text });
  lambda
    .on(InvokeCommand)
    .resolves({ Payload: Payload as never, ...(FunctionError ? { FunctionError } : {}) });
}

const source = {
  ServiceToken: 'arn:aws:lambda:us-east-1:123456789012:function:cdc-demo-dev-custom-resource',
  FunctionName: FUNCTION,
  Create: { action: 'prepare' },
  Update: { action: 'prepare' },
  Delete: { action: 'remove' },
  Attributes: ['messageKeys', 'text'],
};

describe("a function's action as a custom resource", () => {
  it('invokes the function with the event of the request, and answers the attributes asked for', async () => {
    functionAnswers({ ok: true, messageKeys: { 'public.many': ['code'] }, text: 'as it is', findings: [] });
    expect(await answer({ ResourceProperties: source })).toEqual({
      Status: 'SUCCESS',
      StackId: expect.stringContaining('stack/cdc-demo-dev/'),
      RequestId: '5a0f6c1e',
      LogicalResourceId: 'SourcePreparation',
      PhysicalResourceId: 'cdc-demo-dev/SourcePreparation',
      Data: { messageKeys: '{"public.many":["code"]}', text: 'as it is' },
    });
    const sent = lambda.commandCalls(InvokeCommand)[0]?.args[0].input;
    expect(sent).toEqual({ FunctionName: FUNCTION, Payload: '{"action":"prepare"}' });
  });

  it('keeps the id of what exists: another one would have CloudFormation delete it', async () => {
    functionAnswers({ messageKeys: {}, text: '' });
    const PhysicalResourceId = 'made/earlier';
    for (const RequestType of ['Update', 'Delete']) {
      const answered = await answer({ RequestType, PhysicalResourceId, ResourceProperties: source });
      expect(answered).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId });
    }
    functionAnswers({ errorMessage: 'no' }, 'Unhandled');
    expect(
      await answer({ RequestType: 'Update', PhysicalResourceId, ResourceProperties: source }),
    ).toMatchObject({
      Status: 'FAILED',
      PhysicalResourceId,
    });
  });

  it('invokes nothing for a request without an event', async () => {
    const { Delete: _, ...kept } = source;
    expect(await answer({ RequestType: 'Delete', ResourceProperties: kept })).toMatchObject({
      Status: 'SUCCESS',
    });
    expect(lambda.calls()).toHaveLength(0);
  });

  it.each([
    [
      'its error',
      { errorMessage: "Can't connect to the source shop", errorType: 'Error' },
      'Unhandled',
      "source failed: Can't connect to the source shop",
    ],
    [
      'its time-out',
      { errorMessage: 'Task timed out after 60.00 seconds' },
      'Unhandled',
      'Task timed out after 60.00',
    ],
    [
      'an answer that refuses',
      { ok: false, reason: 'wal_level is replica; ALTER SYSTEM' },
      undefined,
      'source refuses: wal_level is replica',
    ],
    ['no JSON', '<html>', undefined, 'answered no JSON: <html>'],
    ['no answer', 'null', undefined, 'answered no messageKeys'],
    ['a missing attribute', { messageKeys: {} }, undefined, 'answered no text, which Attributes asks for'],
    ['too much', { messageKeys: {}, text: 'x'.repeat(5_000) }, undefined, 'text 5000'],
    ['a long reason', { ok: false, reason: 'ü'.repeat(5_000) }, undefined, 'üü ...'],
    ['a reason that JSON makes longer', { ok: false, reason: '"\u0001'.repeat(5_000) }, undefined, '" " '],
  ])('turns %s into a failure with a reason', async (_, payload, error, reason) => {
    functionAnswers(payload, error);
    const { Status, Reason } = await answer({ ResourceProperties: source });
    expect(Status).toBe('FAILED');
    expect(Reason).toContain(reason);
    expect(Reason).not.toContain('�');
  });

  it('answers before its own time is over when the function does not', async () => {
    // A call that ends when it is given up, and only then.
    lambda.on(InvokeCommand).callsFake(() => {
      const args: unknown[] = lambda.commandCalls(InvokeCommand).at(-1)?.args ?? [];
      const { abortSignal } = args[1] as { abortSignal: AbortSignal };
      return new Promise((_, reject) => {
        abortSignal.addEventListener('abort', () => reject(new Error('aborted')));
      });
    });
    const { Status, Reason } = await answer({ ResourceProperties: source }, 100);
    expect(Status).toBe('FAILED');
    expect(Reason).toMatch(/not done within 0 s.*may still be going on/);
  });

  it('deletes what was never created, whatever the function says', async () => {
    functionAnswers({ errorMessage: "Can't connect" }, 'Unhandled');
    const { PhysicalResourceId, Status } = await answer({ ResourceProperties: source });
    expect(Status).toBe('FAILED');
    expect(
      await answer({ RequestType: 'Delete', PhysicalResourceId, ResourceProperties: source }),
    ).toMatchObject({
      Status: 'SUCCESS',
      PhysicalResourceId,
    });
    expect(lambda.commandCalls(InvokeCommand)).toHaveLength(2);
    // Of what was created, a deletion that failed is a failure.
    const made = { RequestType: 'Delete', PhysicalResourceId: 'cdc-demo-dev/SourcePreparation' };
    expect(await answer({ ...made, ResourceProperties: source })).toMatchObject({ Status: 'FAILED' });
  });
});

describe("the brokers' addresses", () => {
  const properties = { Action: 'bootstrap-brokers', ClusterArn: CLUSTER };

  it('are attributes', async () => {
    kafka.on(GetBootstrapBrokersCommand, { ClusterArn: CLUSTER }).resolves({
      BootstrapBrokerStringSaslScram: 'b-1.kafka:9096,b-2.kafka:9096',
      BootstrapBrokerStringSaslIam: 'b-1.kafka:9098,b-2.kafka:9098',
    });
    expect(await answer({ ResourceProperties: properties })).toMatchObject({
      Status: 'SUCCESS',
      Data: {
        BootstrapBrokersSaslScram: 'b-1.kafka:9096,b-2.kafka:9096',
        BootstrapBrokersSaslIam: 'b-1.kafka:9098,b-2.kafka:9098',
      },
    });
  });

  it('are missed by name', async () => {
    kafka.on(GetBootstrapBrokersCommand).resolves({ BootstrapBrokerStringSaslIam: 'b-1.kafka:9098' });
    expect((await answer({ ResourceProperties: properties }))['Reason']).toContain(
      'no brokers for SASL/SCRAM',
    );
  });

  it('have nothing to delete', async () => {
    expect(await answer({ RequestType: 'Delete', ResourceProperties: properties })).toMatchObject({
      Status: 'SUCCESS',
    });
    expect(kafka.calls()).toHaveLength(0);
  });
});

describe('a request that is not as it should be', () => {
  it.each([
    [
      'an unknown action',
      { ResourceProperties: { Action: 'dance', ClusterArn: CLUSTER } },
      'declared wrongly',
    ],
    ['no properties', { ResourceProperties: undefined }, 'declared wrongly'],
    ['an unknown request', { RequestType: 'Repair', ResourceProperties: source }, 'declared wrongly'],
    ['no ids', { StackId: undefined, RequestId: undefined, ResourceProperties: {} }, 'declared wrongly'],
  ])('is answered with a failure: %s', async (_, change, reason) => {
    const { Status, Reason, PhysicalResourceId } = await answer(change);
    expect(Status).toBe('FAILED');
    expect(Reason).toContain(reason);
    expect(PhysicalResourceId).toBeTruthy();
  });

  it.each([[{}], [null], ['text'], [{ ResponseURL: 'ftp://somewhere' }]])(
    'has nobody to answer: %j',
    (event) => {
      expect(() => readSender(event)).toThrow(
        /no request of CloudFormation.*ResponseURL|no request of CloudFormation/,
      );
    },
  );
});

describe('sending the response', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  /** S3 as it answers one request after another. */
  async function storage(...statuses: number[]) {
    const requests: { method: string | undefined; type: string | undefined; body: string }[] = [];
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      requests.push({ method: request.method, type: request.headers['content-type'], body });
      response.writeHead(statuses[requests.length - 1] ?? 200).end();
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/response?signed`, requests };
  }

  it('puts it with the empty content type that the URL is signed for', async () => {
    const { url, requests } = await storage();
    await sendResponse(url, '{"Status":"SUCCESS"}');
    expect(requests).toEqual([{ method: 'PUT', type: '', body: '{"Status":"SUCCESS"}' }]);
  });

  it('tries again when S3 is busy', async () => {
    const { url, requests } = await storage(503, 500, 200);
    await sendResponse(url, '{}', 1);
    expect(requests).toHaveLength(3);
  });

  it('says what it would have answered when the URL is no longer good', async () => {
    const { url, requests } = await storage(403);
    await expect(sendResponse(url, '{"Status":"FAILED"}')).rejects.toThrow(
      'CloudFormation could not be answered: S3 answered 403. It goes on waiting; the response was {"Status":"FAILED"}',
    );
    expect(requests).toHaveLength(1);
  });

  it('tries again when nothing listens, and says so in the end', async () => {
    const { url } = await storage();
    servers.splice(0)[0]?.close();
    await expect(sendResponse(url, '{}', 1)).rejects.toThrow(/ECONNREFUSED/);
  });
});
