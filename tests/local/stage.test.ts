/**
 * The command line against a stage: real commands in processes of their own, the real SDK, moto as AWS, the real
 * functions behind it. The stage's stack holds what the commands look up: its landing bucket.
 */
import { AthenaClient, CreateWorkGroupCommand } from '@aws-sdk/client-athena';
import { CloudFormationClient, CreateStackCommand } from '@aws-sdk/client-cloudformation';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { clientSettings } from '../../local/aws/platform.ts';
import { PROJECT_ROOT } from '../../local/state.ts';
import { type Stack, startStack } from '../statemachines/stack.ts';

const ACCOUNT = '123456789012';
const COMMAND_WITHIN_MS = 180_000;

let stack: Stack;

/** A command as a person runs it, with another environment where that is the point. */
async function cdc(args: readonly string[], env: Record<string, string | undefined> = {}) {
  const { exitCode, stdout, stderr } = await execa(process.execPath, ['local/cli/main.ts', ...args], {
    cwd: PROJECT_ROOT,
    env: {
      AWS_ENDPOINT_URL: stack.endpoint.url,
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_SESSION_TOKEN: undefined,
      AWS_PROFILE: undefined,
      AWS_REGION: undefined,
      AWS_DEFAULT_REGION: undefined,
      AWS_EC2_METADATA_DISABLED: 'true',
      NO_COLOR: '1',
      ...env,
    },
    reject: false,
    timeout: COMMAND_WITHIN_MS,
  });
  return { exitCode, stdout, stderr };
}

/** What moto's Athena answers next: https://docs.getmoto.org/en/latest/docs/services/athena.html */
async function plannedResult(columns: readonly string[], ...rows: string[][]): Promise<void> {
  const result = {
    rows: [columns, ...rows].map((row) => ({ Data: row.map((text) => ({ VarCharValue: text })) })),
    column_info: columns.map((Name) => ({ Name, Type: 'varchar' })),
  };
  const answer = await fetch(`${stack.endpoint.url}/moto-api/static/athena/query-results`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ account_id: ACCOUNT, region: 'us-east-1', results: [result] }),
  });
  if (!answer.ok) throw new Error(`moto took no result: ${answer.status} ${await answer.text()}`);
}

beforeAll(async () => {
  stack = await startStack({ intervals: 20 });
  await new CloudFormationClient(clientSettings(stack.endpoint.url)).send(
    new CreateStackCommand({
      StackName: 'cdc-demo-test',
      TemplateBody: JSON.stringify({
        Resources: {
          LandingBucket: { Type: 'AWS::S3::Bucket', Properties: { BucketName: stack.config.bucket } },
        },
        Outputs: { LandingBucketName: { Value: { Ref: 'LandingBucket' } } },
      }),
    }),
  );
});

afterAll(() => stack?.close());

describe('run --stage', () => {
  it('starts the deployed medallion, shows its states and its verdict', async () => {
    stack.land();
    const { exitCode, stdout, stderr } = await cdc(['run', '--stage', 'test']);
    expect(stderr).toBe('');
    expect(stdout).toMatch(
      /us-east-1\.console\.aws\.amazon\.com\/states.*executions\/details\/arn:aws:states/,
    );
    for (const state of ['AcquireLock', 'Preflight', 'Bronze', 'BronzeGate', 'Silver', 'Gold', 'GoldGate']) {
      expect(stdout).toMatch(new RegExp(`✔ ${state} `));
    }
    expect(stdout).toMatch(/Succeeded cli-\d{8}T\d{9}Z/);
    expect(exitCode).toBe(0);
  });

  it('ends with 1 and the reason when the run failed', async () => {
    stack.land();
    stack.worker.plan('bronze', { end: 'FAILED', error: 'out of memory' });
    const { exitCode, stdout } = await cdc(['run', '--stage', 'test']);
    expect(stdout).toMatch(/Failed cli-/);
    expect(stdout).toMatch(/RunBroke: /);
    expect(exitCode).toBe(1);
  });

  it('names the stage that is not there, and how to deploy it', async () => {
    const { exitCode, stderr } = await cdc(['run', '--stage', 'moon', '--region', 'eu-central-1']);
    expect(stderr).toMatch(
      `There is no state machine cdc-demo-moon-medallion in eu-central-1 of account ${ACCOUNT}. Deploy it with \`npx sls deploy --stage moon\``,
    );
    expect(exitCode).toBe(1);
  });
});

describe('status --stage', () => {
  it('shows stack, tables, layers and alarms, from the reports of the last run', async () => {
    const { stdout } = await cdc(['status', '--stage', 'test', '--json']);
    const status = JSON.parse(stdout);
    expect(status.place).toBe(`stage test (us-east-1, account ${ACCOUNT})`);
    expect(status.parts[0]).toMatchObject({ part: 'stack', state: 'CREATE_COMPLETE', ok: true });
    expect(status.addresses).toEqual({ LandingBucketName: stack.config.bucket });
    expect(status.tables.map(({ table }: { table: string }) => table)).toContain('public.orders');
    expect(status.layers.map(({ layer }: { layer: string }) => layer)).toContain('gold');
    expect(status.alarms).toEqual([]);
  });

  it('says that there is no stack, and ends with 1', async () => {
    const { exitCode, stderr, stdout } = await cdc(['status', '--stage', 'moon']);
    expect(stderr).toMatch(
      /^There is no stack cdc-demo-moon in us-east-1 of account 123456789012\. Deploy it with/,
    );
    expect(stdout).toBe('');
    expect(exitCode).toBe(1);
  });
});

describe('query --stage', () => {
  it('asks Athena in the workgroup of the stage', async () => {
    const missing = await cdc(['query', 'SELECT id FROM users', '--stage', 'test']);
    expect(missing.stderr).toMatch(/^Athena has no workgroup cdc-demo-test/);
    await new AthenaClient(clientSettings(stack.endpoint.url)).send(
      new CreateWorkGroupCommand({ Name: 'cdc-demo-test' }),
    );
    await plannedResult(['id', 'name'], ['7', 'Ada']);
    const { exitCode, stdout, stderr } = await cdc([
      'query',
      'SELECT id, name FROM users',
      '--stage',
      'test',
      '--csv',
    ]);
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: 'id,name\n7,Ada', stderr: '' });
  });
});

describe('connectors --stage', () => {
  it('says in the function’s words what it can not reach, and where its log is', async () => {
    const { exitCode, stderr } = await cdc(['connectors', '--stage', 'test']);
    expect(stderr).toMatch(/^cdc-demo-test-connector failed: Kafka Connect at \S+ does not answer/);
    expect(stderr).toContain('`npx sls logs -f connector --stage test --region us-east-1`');
    expect(exitCode).toBe(1);
  });

  it('names the function that is not deployed', async () => {
    const { exitCode, stderr } = await cdc(['connectors', '--stage', 'moon']);
    expect(stderr).toMatch(/^There is no function cdc-demo-moon-connector in us-east-1/);
    expect(exitCode).toBe(1);
  });
});

describe('trouble with AWS', () => {
  it('is one sentence without a stack trace: no credentials', async () => {
    const none = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, HOME: '/nowhere' };
    const { exitCode, stderr } = await cdc(['query', 'SELECT 1', '--stage', 'test'], none);
    expect(stderr).toMatch(/^There are no AWS credentials \(.*\)\. Set them up with `aws configure`/);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(exitCode).toBe(1);
  });

  it('is one sentence without a stack trace: nobody answers', async () => {
    const { exitCode, stderr } = await cdc(['status', '--stage', 'test'], {
      AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
      AWS_MAX_ATTEMPTS: '1',
    });
    expect(stderr).toMatch(/^AWS in us-east-1 can't be reached/);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(exitCode).toBe(1);
  });

  it('is wrong usage, told as such: both worlds at once, a region for the twin, a name that is none', async () => {
    for (const args of [
      ['status', '--stage', 'dev', '--state', 'somewhere'],
      ['status', '--region', 'us-east-1'],
      ['status', '--stage', 'Dev Stage'],
    ]) {
      const { exitCode, stderr } = await cdc(args);
      expect(stderr).not.toContain('    at ');
      expect(exitCode).toBe(2);
    }
  });
});

describe('doctor --stage', () => {
  it('looks at the account and says for each thing that is missing what to do', async () => {
    const { exitCode, stdout } = await cdc(['doctor', '--stage', 'moon']);
    expect(stdout).toMatch(new RegExp(`✔ AWS credentials +account ${ACCOUNT}`));
    expect(stdout).toMatch(/✔ stack cdc-demo-moon +not deployed yet/);
    expect(stdout).toMatch(/✖ role of MSK +not there yet\n +aws iam create-service-linked-role/);
    expect(exitCode).toBe(1);
  });

  it('creates the service-linked roles when asked to', async () => {
    const { stdout } = await cdc(['doctor', '--stage', 'moon', '--create-roles']);
    expect(stdout).toMatch(/✔ role of MSK +created/);
    const again = await cdc(['doctor', '--stage', 'moon']);
    expect(again.stdout).toMatch(/✔ role of MSK +AWSServiceRoleFor[Kk]afka/);
  });
});
