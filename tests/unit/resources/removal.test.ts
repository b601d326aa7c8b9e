import {
  CloudFormationClient,
  GetTemplateCommand,
  ListStackResourcesCommand,
} from '@aws-sdk/client-cloudformation';
import { DescribeDBInstancesCommand, RDSClient } from '@aws-sdk/client-rds';
import {
  DeleteBucketCommand,
  DeleteObjectsCommand,
  ListObjectVersionsCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import {
  bucketsOf,
  deleteBucket,
  type Remain,
  refusalOf,
  remainsOf,
  removalNotes,
} from '../../../resources/removal.ts';

const REMAINS = [
  remain('LakeBucket', 'AWS::S3::Bucket', 'lake-1'),
  remain('LakeBucketPolicy', 'AWS::S3::BucketPolicy', 'lake-1'),
  remain('DataKey', 'AWS::KMS::Key', 'key-1'),
  { ...remain('Database', 'AWS::RDS::DBInstance', 'cdc-demo-dev'), policy: 'Snapshot' as const },
];

function remain(logicalId: string, type: string, physicalId: string): Remain {
  return { logicalId, type, physicalId, policy: 'Retain', isProtected: false };
}

describe('what a removal leaves', () => {
  const cloudFormation = mockClient(CloudFormationClient);
  beforeEach(() => {
    cloudFormation.reset();
  });

  it('is what the deployed template says, by its real names, over all pages', async () => {
    const template = {
      Resources: {
        LakeBucket: { Type: 'AWS::S3::Bucket', DeletionPolicy: 'RetainExceptOnCreate' },
        LakeBucketPolicy: { Type: 'AWS::S3::BucketPolicy', DeletionPolicy: 'Retain' },
        Queue: { Type: 'AWS::SQS::Queue' },
        DataKey: { Type: 'AWS::KMS::Key', DeletionPolicy: 'Retain' },
        Database: { Type: 'AWS::RDS::DBInstance', DeletionPolicy: 'Snapshot' },
        NeverMade: { Type: 'AWS::S3::Bucket', DeletionPolicy: 'Retain' },
      },
    };
    const summary = (LogicalResourceId: string, PhysicalResourceId: string) => ({
      LogicalResourceId,
      PhysicalResourceId,
      ResourceType: undefined,
      LastUpdatedTimestamp: undefined,
      ResourceStatus: undefined,
    });
    cloudFormation.on(GetTemplateCommand).resolves({ TemplateBody: JSON.stringify(template) });
    cloudFormation
      .on(ListStackResourcesCommand)
      .resolvesOnce({
        StackResourceSummaries: [summary('LakeBucket', 'lake-1'), summary('Queue', 'q')],
        NextToken: '2',
      })
      .resolves({
        StackResourceSummaries: [
          summary('LakeBucketPolicy', 'lake-1'),
          summary('DataKey', 'key-1'),
          summary('Database', 'cdc-demo-dev'),
        ],
      });
    const remains = await remainsOf(cloudFormation as unknown as CloudFormationClient, 'cdc-demo-dev');
    expect(remains).toEqual(REMAINS);
    expect(bucketsOf(remains)).toEqual(['lake-1']);
  });

  it('is nothing that is known once the stack is gone, but no other error passes for that', async () => {
    const asked = () => remainsOf(cloudFormation as unknown as CloudFormationClient, 'cdc-demo-dev');
    cloudFormation.on(GetTemplateCommand).rejects(new Error('Stack with id cdc-demo-dev does not exist'));
    expect(await asked()).toEqual([]);
    cloudFormation.on(GetTemplateCommand).rejects(new Error('Rate exceeded'));
    await expect(asked()).rejects.toThrow('Rate exceeded');
  });

  describe('that must not begin', () => {
    const rds = mockClient(RDSClient);
    const refusal = (DeletionProtection: unknown) => {
      const Database = {
        Type: 'AWS::RDS::DBInstance',
        DeletionPolicy: 'Snapshot',
        Properties: { DeletionProtection },
      };
      const summary = { LogicalResourceId: 'Database', PhysicalResourceId: 'cdc-demo-dev' } as never;
      cloudFormation
        .on(GetTemplateCommand)
        .resolves({ TemplateBody: JSON.stringify({ Resources: { Database } }) });
      cloudFormation.on(ListStackResourcesCommand).resolves({ StackResourceSummaries: [summary] });
      return remainsOf(cloudFormation as unknown as CloudFormationClient, 'cdc-demo-dev').then((remains) =>
        refusalOf(rds as unknown as RDSClient, remains, 'dev'),
      );
    };
    const status = (DBInstanceStatus: string) =>
      rds.on(DescribeDBInstancesCommand).resolves({ DBInstances: [{ DBInstanceStatus }] });
    beforeEach(() => {
      rds.reset();
      status('available');
    });

    it.each([true, 'true'])('is refused for a database that is protected (%j)', async (protection) => {
      expect(await refusal(protection)).toMatch(
        /^The database cdc-demo-dev is protected .* databaseProtected: false/,
      );
    });

    it.each(['stopped', 'stopping'])('is refused for a database that is %s', async (state) => {
      status(state);
      expect(await refusal(false)).toMatch(
        /^The database cdc-demo-dev is stop.*: npx cdc cost-guard resume --stage dev/,
      );
    });

    it('is let through otherwise, also where the database is gone', async () => {
      expect(await refusal(false)).toBeNull();
      rds
        .on(DescribeDBInstancesCommand)
        .rejects(Object.assign(new Error('gone'), { name: 'DBInstanceNotFoundFault' }));
      expect(await refusal(false)).toBeNull();
      expect(await refusalOf(rds as unknown as RDSClient, [], 'dev')).toBeNull();
    });

    it('is not let through by an RDS that does not answer', async () => {
      rds.on(DescribeDBInstancesCommand).rejects(new Error('Rate exceeded'));
      await expect(refusal(false)).rejects.toThrow('Rate exceeded');
    });
  });

  it('is said with the way to delete each of it', () => {
    const [head, ...lines] = removalNotes(REMAINS, { prefix: 'cdc-demo-dev', region: 'eu-west-1' });
    expect(head).toBe('What stays, and how to delete it:');
    expect(lines).toHaveLength(4);
    expect(lines[0]).toContain('aws s3api delete-bucket --bucket lake-1 --region eu-west-1');
    expect(lines[1]).toContain('aws kms schedule-key-deletion --key-id key-1');
    expect(lines[2]).toContain('describe-db-snapshots --db-instance-identifier cdc-demo-dev');
    expect(lines[3]).toContain('--log-group-name-pattern cdc-demo-dev');
  });

  it('is not talked about when it is nothing', () => {
    expect(removalNotes([], { prefix: 'cdc-demo-dev', region: 'eu-west-1' })).toEqual([]);
  });
});

describe('a bucket that is deleted', () => {
  const s3 = mockClient(S3Client);
  const client = s3 as unknown as S3Client;
  beforeEach(() => {
    s3.reset();
  });

  it('loses every version and every delete marker first', async () => {
    s3.on(ListObjectVersionsCommand)
      .resolvesOnce({
        Versions: [{ Key: 'a', VersionId: '1' }],
        DeleteMarkers: [{ Key: 'a', VersionId: '2' }],
        IsTruncated: true,
      })
      .resolvesOnce({ Versions: [{ Key: 'b', VersionId: '3' }] })
      .resolves({});
    s3.on(DeleteObjectsCommand).resolves({});
    s3.on(DeleteBucketCommand).resolves({});
    const told: number[] = [];
    expect(await deleteBucket(client, 'lake-1', (deleted) => told.push(deleted))).toBe(3);
    expect(told).toEqual([2, 3]);
    expect(s3.commandCalls(DeleteObjectsCommand).map(({ args }) => args[0].input.Delete?.Objects)).toEqual([
      [
        { Key: 'a', VersionId: '1' },
        { Key: 'a', VersionId: '2' },
      ],
      [{ Key: 'b', VersionId: '3' }],
    ]);
    expect(s3.commandCalls(DeleteBucketCommand)).toHaveLength(1);
  });

  it('stays when an object can not be deleted, and the error names it', async () => {
    s3.on(ListObjectVersionsCommand).resolves({ Versions: [{ Key: 'a', VersionId: '1' }] });
    s3.on(DeleteObjectsCommand).resolves({ Errors: [{ Key: 'a', Code: 'AccessDenied', Message: 'no' }] });
    await expect(deleteBucket(client, 'lake-1')).rejects.toThrow(
      's3://lake-1 is not empty: a could not be deleted (AccessDenied, no)',
    );
    expect(s3.commandCalls(DeleteBucketCommand)).toHaveLength(0);
  });
});
