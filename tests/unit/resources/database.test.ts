import { describe, expect, it } from '@jest/globals';
import { databasePart } from '../../../resources/database.ts';
import { resourceOf, stageContext } from './stage-context.ts';

const EXISTING = {
  database: 'existing',
  sourceHost: 'db.example.com',
  sourceDatabase: 'shop',
  sourceSecretId: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:shop-AbCdEf',
  sourceSecurityGroup: 'sg-0123456789abcdef0',
  sourceVpc: 'vpc-0123456789abcdef0',
  sourceVpcCidr: '10.0.0.0/16',
  sourceRouteTables: 'rtb-0123456789abcdef0',
};

describe('the source database', () => {
  it('can be decoded, takes encrypted connections only and keeps a password that RDS changes', async () => {
    const part = await databasePart(stageContext('dev'));
    expect(resourceOf(part, 'DatabaseParameters').Properties).toMatchObject({
      Parameters: { 'rds.logical_replication': '1', 'rds.force_ssl': '1' },
    });
    expect(resourceOf(part, 'Database').Properties).toMatchObject({
      StorageEncrypted: true,
      PubliclyAccessible: false,
      ManageMasterUserPassword: true,
    });
    expect(resourceOf(part, 'Database')).toMatchObject({ DeletionPolicy: 'Snapshot' });
  });

  it.each(['dev', 'staging', 'prod'])('of %s drops a slot before the slot fills its disk', async (stage) => {
    const context = stageContext(stage);
    const { Properties } = resourceOf(await databasePart(context), 'DatabaseParameters');
    const megabytes = Number((Properties['Parameters'] as Record<string, string>)['max_slot_wal_keep_size']);
    expect(megabytes * 1024 * 1024).toBe(Number(await context.param('slotBudgetBytes')));
    expect(megabytes / 1024).toBeLessThanOrEqual(Number(await context.param('databaseStorageGb')) / 2);
  });

  it('is not made where one exists', async () => {
    expect(await databasePart(stageContext('dev', EXISTING))).toEqual({ Resources: {} });
  });

  it.each([
    [{ database: 'mine' }, /database of stage dev is "mine"; it must be own or existing/],
    [{ ...EXISTING, sourceSecretId: '' }, /database=existing needs the parameter sourceSecretId\. Set it/],
    [{ slotBudgetBytes: '5000000000' }, /slotBudgetBytes of stage dev .* multiple of 1048576/],
  ])('refuses %j', async (parameters, message) => {
    await expect(databasePart(stageContext('dev', parameters as Record<string, string>))).rejects.toThrow(
      message,
    );
  });
});
