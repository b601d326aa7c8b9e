import {
  DescribeSecretCommand,
  GetRandomPasswordCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { readEvent } from '../../../../functions/rotate-secret/event.ts';
import { type RotationPorts, rotate } from '../../../../functions/rotate-secret/rotate.ts';
import { SecretVersions } from '../../../../functions/rotate-secret/versions.ts';

const steps = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'] as const;

/** A secret, a role and a Connect in memory. */
function world(pending = true) {
  const done: string[] = [];
  let isPending = pending;
  const ports: RotationPorts = {
    isPending: async () => isPending,
    create: async (version) => void done.push(`create ${version}`),
    makeCurrent: async (version) => {
      isPending = false;
      done.push(`make ${version} current`);
    },
    source: async (action, version = 'of the current version') => void done.push(`${action} ${version}`),
    restartConnect: async () => void done.push('restart Connect'),
  };
  return { done, ports };
}

describe("the rotation of the replication role's password", () => {
  it('makes it, sets it, tries it and makes it current in one step, and starts Connect again', async () => {
    const { done, ports } = world();
    for (const Step of steps) await rotate({ Step, ClientRequestToken: 'v2' }, ports);
    expect(done).toEqual([
      'create v2',
      'set-password v2',
      'try-password v2',
      'make v2 current',
      'try-password of the current version',
      'try-password of the current version',
      'restart Connect',
    ]);
  });

  it('gives the role the current password back when the new one can not be taken over', async () => {
    const { done, ports } = world();
    const broken = { ...ports, makeCurrent: () => Promise.reject(new Error('throttled')) };
    await expect(rotate({ Step: 'setSecret', ClientRequestToken: 'v2' }, broken)).rejects.toThrow(
      'The new password was not taken over: throttled. The role has the current password again',
    );
    expect(done.at(-1)).toBe('set-password of the current version');
  });

  it('says when the role may have a password that nobody knows', async () => {
    const { ports } = world();
    const broken = { ...ports, source: () => Promise.reject(new Error('no route to the source')) };
    await expect(rotate({ Step: 'setSecret', ClientRequestToken: 'v2' }, broken)).rejects.toThrow(
      /Nor could the role be given the current password \(no route to the source\)/,
    );
  });

  it.each([
    ['at the end', 'finishSecret', ['restart Connect']],
    ['when a rotation whose test failed is repeated', 'setSecret', []],
  ] as const)(
    'sets the current password once more when the role does not take it %s',
    async (_, Step, more) => {
      const { done, ports } = world(false);
      let tries = 0;
      const source: RotationPorts['source'] = async (action, version) => {
        if (action === 'try-password' && tries++ === 0) throw new Error('password authentication failed');
        await ports.source(action, version);
      };
      await rotate({ Step, ClientRequestToken: 'v2' }, { ...ports, source });
      expect(done).toEqual([
        'set-password of the current version',
        'try-password of the current version',
        ...more,
      ]);
    },
  );

  it('changes nothing when the version is current already, but starts Connect again', async () => {
    const { done, ports } = world(false);
    for (const Step of steps) await rotate({ Step, ClientRequestToken: 'v2' }, ports);
    expect(done).toEqual([
      'try-password of the current version',
      'try-password of the current version',
      'try-password of the current version',
      'restart Connect',
    ]);
  });

  it('tries the current password when a new schedule is tried out', async () => {
    const { done, ports } = world();
    await rotate({ Step: 'testSecret', ClientRequestToken: 'v2' }, ports);
    expect(done).toEqual(['try-password of the current version']);
  });

  it.each([
    [{}, 'Step'],
    [{ Step: 'dance', SecretId: 's', ClientRequestToken: 't' }, 'Step'],
    [{ Step: 'setSecret', SecretId: 's' }, 'ClientRequestToken'],
    [null, 'expected object'],
  ])('refuses %j', (event, said) => {
    expect(() => readEvent(event)).toThrow(said);
  });
});

describe('the versions of the secret', () => {
  const secrets = mockClient(SecretsManagerClient);
  const versions = new SecretVersions(new SecretsManagerClient({}), 'replication');
  const missing = new ResourceNotFoundException({ message: 'no such version', $metadata: {} });

  beforeEach(() => {
    secrets.reset();
    secrets.on(DescribeSecretCommand).resolves({
      RotationEnabled: true,
      VersionIdsToStages: { v1: ['AWSCURRENT'], v2: ['AWSPENDING'] },
    });
    secrets
      .on(GetSecretValueCommand, { VersionStage: 'AWSCURRENT' })
      .resolves({ SecretString: '{"username":"cdc_demo_dev_replication","password":"old"}' });
    secrets.on(GetSecretValueCommand, { VersionId: 'v2' }).rejects(missing);
    secrets.on(GetRandomPasswordCommand).resolves({ RandomPassword: 'new' });
  });

  it('keep all but the password', async () => {
    await versions.create('v2');
    expect(secrets.commandCalls(PutSecretValueCommand)[0]?.args[0].input).toEqual({
      SecretId: 'replication',
      ClientRequestToken: 'v2',
      SecretString: '{"username":"cdc_demo_dev_replication","password":"new"}',
      VersionStages: ['AWSPENDING'],
    });
    const asked = secrets.commandCalls(GetRandomPasswordCommand)[0]?.args[0].input;
    expect(asked).toEqual({ PasswordLength: 32, ExcludePunctuation: true });
  });

  it('are made once: a repeated step keeps the password that the role may have by now', async () => {
    secrets.on(GetSecretValueCommand, { VersionId: 'v2' }).resolves({ SecretString: '{}' });
    await versions.create('v2');
    expect(secrets.commandCalls(PutSecretValueCommand)).toHaveLength(0);
  });

  it('change places once', async () => {
    await versions.makeCurrent('v2');
    expect(secrets.commandCalls(UpdateSecretVersionStageCommand)[0]?.args[0].input).toEqual({
      SecretId: 'replication',
      VersionStage: 'AWSCURRENT',
      MoveToVersionId: 'v2',
      RemoveFromVersionId: 'v1',
    });
    await versions.makeCurrent('v1');
    expect(secrets.commandCalls(UpdateSecretVersionStageCommand)).toHaveLength(1);
  });

  it('are pending, current, or unknown', async () => {
    expect(await versions.isPending('v2')).toBe(true);
    expect(await versions.isPending('v1')).toBe(false);
    await expect(versions.isPending('v3')).rejects.toThrow(/no pending version v3/);
    secrets.on(DescribeSecretCommand).resolves({ RotationEnabled: false });
    await expect(versions.isPending('v2')).rejects.toThrow(/not set up for rotation/);
  });
});
