import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { identify } from '../../../../local/process/identity.ts';
import { ACCESS_DENIED, type DenyingAws, startDenyingAws } from './denying-aws.ts';
import { type Ended, startVerbRunner, type VerbRunner } from './verb-runner.ts';

const folder = mkdtempSync(join(tmpdir(), 'cdc-wrong-use-'));
const at = (name: string) => join(folder, name);
const COMMANDERS_SECOND_LINE = /\n?Add --help for the options\.\n$/;
let verbs: VerbRunner;
let aws: DenyingAws;
let nobody: number;

beforeAll(async () => {
  verbs = startVerbRunner();
  aws = await startDenyingAws();
  nobody = await closedPort();
  twinState('starting', {});
  const dead = `http://127.0.0.1:${nobody}`;
  twinState('dead', {
    source: `postgresql://shop:secret@127.0.0.1:${nobody}/shop`,
    kafka: `127.0.0.1:${nobody}`,
    endpoint: dead,
    connect: dead,
    spark: dead,
  });
  write('broken/state.json', '{nope');
  write('foreign/mine.txt', 'mine');
  write('file', 'text');
  write('garbled/cloudformation-template-update-stack.json', '{nope');
  write('package/cloudformation-template-update-stack.json', '{"Resources": {}}');
  write('null.json', 'null');
  write('empty.json', '{"Resources": {}}');
});

afterAll(async () => {
  verbs?.close();
  await aws?.close();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(() => {
  aws.refusal = ACCESS_DENIED;
});

/** Every verb that asks a world, with what it needs at least. */
const VERBS = [
  ['connectors'],
  ['events', 'users'],
  ['run'],
  ['query', 'SELECT 1'],
  ['status'],
  ['backfill', 'users'],
  ['maintain'],
];

describe('what the command line can not do is one line that says what to do, and exit code 2', () => {
  it.each<[string[], RegExp]>([
    [['nonsense'], /unknown command 'nonsense'/],
    [['status', '--nonsense'], /unknown option '--nonsense'/],
    [['status', 'extra'], /too many arguments/],
    [['events'], /missing required argument 'table'/],
    [['query'], /missing required argument 'sql'/],
    [['query', 'SELECT 1', '--limit', 'x'], /^--limit must be a whole number from 1, not x\.$/],
    [['cost-guard', 'nope'], /Allowed choices are pause, resume/],
    [['test', '--rate', 'x'], /^--rate must be a number above 0, not x\.$/],
    [['test', '--seconds', '-1'], /^--seconds must be a number above 0/],
    [['start', '--scale', '0'], /^--scale must be a number above 0 and at most 100, not 0\.$/],
    [['status', '--stage', 'dev', '--state', 'x'], /^Name either --stage or --state/],
    [['status', '--region', 'us-east-1'], /^--region goes with --stage/],
    [['doctor', '--create-roles'], /--create-roles go with --stage/],
    [['status', '--stage', 'Dev Stage'], /^--stage must be a stage's name/],
    [['run', '--stage', 'dev', '--region', 'mars'], /^--region must be a region's name .*, not mars\.$/],
    [['changes'], /required option '--stage <name>' not specified/],
    [['changes', '--stage', 'Dev Stage'], /^--stage must be a stage's name/],
    [
      ['changes', '--stage', 'dev', '--package', at('foreign')],
      /holds no .*; run `npx sls package --stage dev/,
    ],
    [['changes', '--stage', 'dev', '--package', at('garbled')], /can't be read as a template/],
    [['cost', '--stage', 'Dev Stage'], /^--stage must be a stage's name/],
    [['cost', '--changes-per-day', 'x'], /^--changes-per-day must be a whole number/],
    [['cost', '--job-minutes', '-1'], /^--job-minutes must be a number from 0, not -1\.$/],
    [['cost', '--template', at('nowhere')], /can't be read as a template: ENOENT/],
    [['cost', '--template', at('null.json')], /is no CloudFormation template/],
    [['cost', '--template', at('empty.json')], /no pipe of a captured table/],
    [['start', '--state', at('foreign')], /is not empty and not a state folder/],
    [['start', '--state', at('a,b')], /a colon or a comma/],
    [['clean', '--state', at('foreign')], /is not empty and not a state folder/],
    [['clean', '--state', at('file')], /is not a folder/],
    [['status', '--state', at('file')], /is not a folder/],
    [['stop', '--state', at('broken')], /state\.json is not valid JSON; remove the state folder/],
  ])('cdc %j', async (args, line) => {
    const { said, exitCode } = await cdc(args);
    expect(said).toMatch(line);
    expect(exitCode).toBe(2);
  });
});

describe('a PostgreSQL of the user’s own', () => {
  it.each([
    ['mysql://me:hush@db/shop', /^CDC_SOURCE_URL can't be used\. The source URL must read postgresql:/],
    ['postgresql://me:hush@db/shop?sslmode=no-verify', /sslmode=no-verify, which PostgreSQL does not know/],
    [
      'postgresql://me:hush@db/shop?sslmode=verify-full',
      /root\.crt, does not exist\. Name it with sslrootcert/,
    ],
  ])('is refused before anything starts: %s', async (url, line) => {
    const { printed, said, exitCode } = await cdc(['start', '--state', at('own')], { CDC_SOURCE_URL: url });
    expect(said).toMatch(line);
    expect(said).not.toContain('hush');
    expect(printed).toBe('');
    expect(exitCode).toBe(2);
  });
});

describe('without a twin', () => {
  it.each([...VERBS, ['test'], ['cost-guard', 'pause']])('%s says how to start one', async (...args) => {
    const { said, exitCode } = await cdc([...args, '--state', at('none')]);
    expect(said).toBe(
      `No twin is running in ${at('none')}. Start it with \`npm start -- --state ${at('none')}\`; for a stage on AWS add --stage <name>.`,
    );
    expect(exitCode).toBe(2);
  });

  it.each([
    ['stop', /^No twin was running/],
    ['clean', /^There is no twin/],
  ])('%s has nothing to do', async (verb, line) => {
    expect(await cdc([verb, '--state', at('none')])).toMatchObject({
      printed: expect.stringMatching(line),
      exitCode: 0,
    });
  });
});

describe('a twin that', () => {
  it.each([...VERBS.filter(([verb]) => verb !== 'status'), ['test']])(
    'is starting is waited for: %s',
    async (...args) => {
      const { said, exitCode } = await cdc([...args, '--state', at('starting')]);
      expect(said).toMatch(/The twin is still starting; repeat when it is up\.$/);
      expect(exitCode).toBe(1);
    },
  );

  it.each([...VERBS.filter(([verb]) => verb !== 'status')])(
    'has lost a part is said to have: %s',
    async (...args) => {
      const { said, exitCode } = await cdc([...args, '--state', at('dead')]);
      expect(said).toMatch(
        /A part of the twin in \S+ does not answer \(.*ECONNREFUSED.*\)\. See `cdc status` and the logs in \S+\/logs; stop/,
      );
      expect(exitCode).toBe(1);
    },
  );

  it('has lost its database is told so by the workload', async () => {
    const { said, exitCode } = await cdc(['test', '--state', at('dead')]);
    expect(said).toMatch(/^Can't connect to the source shop at 127\.0\.0\.1:\d+ as shop: .*ECONNREFUSED/);
    expect(said).not.toContain('secret');
    expect(exitCode).toBe(1);
  });
});

describe('on AWS', () => {
  const asking = [...VERBS, ['cost-guard', 'pause'], ['changes', '--package', at('package')]];

  it.each(asking)('without credentials %s says how to get them', async (...args) => {
    const { said, exitCode } = await cdc([...args, '--stage', 'dev'], {});
    expect(said).toMatch(/There are no AWS credentials \(.*\)\. Set them up with `aws configure`/);
    expect(exitCode).toBe(1);
  });

  it.each(asking)('%s names the call that the credentials do not allow', async (...args) => {
    const { said, exitCode } = await cdc([...args, '--stage', 'dev'], reaching(aws.url));
    expect(said).toMatch(
      /These credentials may not do (SFN|Athena|Lambda|CloudFormation) [A-Z]\w+ on stage dev: User: arn:aws:sts:.*\. Ask for the right/,
    );
    expect(exitCode).toBe(1);
  });

  it.each(asking)('%s passes on what a service refuses otherwise, with the call', async (...args) => {
    aws.refusal = { status: 400, code: 'ValidationError', message: 'The stack is being updated' };
    const { said, exitCode } = await cdc([...args, '--stage', 'dev'], reaching(aws.url));
    expect(said).toMatch(
      /AWS refused \w+ [A-Z]\w+ in us-east-1: The stack is being updated \(ValidationError.*\)\. Put right/,
    );
    expect(exitCode).toBe(1);
  });

  it('a service that fails is to be asked again', async () => {
    aws.refusal = { status: 500, code: 'InternalFailure', message: 'oops' };
    const { said } = await cdc(['run', '--stage', 'dev'], reaching(aws.url));
    expect(said).toMatch(/^AWS failed at SFN DescribeStateMachine in us-east-1: oops .* Repeat in a minute/);
  });

  it.each(asking)('%s says that nobody answers', async (...args) => {
    const nowhere = reaching(`http://127.0.0.1:${nobody}`);
    const { said, exitCode } = await cdc([...args, '--stage', 'dev'], nowhere);
    expect(said).toMatch(
      /AWS in us-east-1 can't be reached \(connect ECONNREFUSED.*\)\. Check this machine's/,
    );
    expect(exitCode).toBe(1);
  });

  it.each([
    ['http://sts.nowhere.invalid', /AWS has no address for us-east-1 here \(getaddrinfo/],
    ['nope', /An endpoint of AWS is no URL: nope\. Check AWS_ENDPOINT_URL/],
  ])('an endpoint %s is told', async (url, line) => {
    const { said, exitCode } = await cdc(['run', '--stage', 'dev'], reaching(url));
    expect(said).toMatch(line);
    expect(exitCode).toBe(1);
  });
});

/** A verb with what the environment holds beside nothing of AWS; what it says is one line, and so no stack trace. */
async function cdc(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const nothing = { HOME: folder, AWS_EC2_METADATA_DISABLED: 'true', AWS_MAX_ATTEMPTS: '1' };
  const ended = await verbs.run({ args, env: { ...nothing, ...env } });
  expect(ended.said.replace(COMMANDERS_SECOND_LINE, '')).not.toContain('\n');
  return ended;
}

/** Credentials, and where AWS is. */
function reaching(url: string): Record<string, string> {
  return { AWS_ENDPOINT_URL: url, AWS_ACCESS_KEY_ID: 'visitor', AWS_SECRET_ACCESS_KEY: 'visitor' };
}

function write(name: string, text: string): void {
  mkdirSync(dirname(at(name)), { recursive: true });
  writeFileSync(at(name), text);
}

/** The state folder of a twin that this process would run. */
function twinState(name: string, urls: Record<string, string>): void {
  const state = { version: 1, owner: identify(process.pid), ports: {}, urls, children: {}, outside: [] };
  write(`${name}/state.json`, JSON.stringify(state));
  write(`${name}/secrets.json`, JSON.stringify({ placeholders: {}, passwords: {} }));
}

/** A port at which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await once(server.close(), 'close');
  return port;
}
