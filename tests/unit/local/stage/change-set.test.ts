import {
  CloudFormationClient,
  CreateChangeSetCommand,
  DeleteChangeSetCommand,
  DescribeChangeSetCommand,
  DescribeStackResourceCommand,
} from '@aws-sdk/client-cloudformation';
import { DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { plannedChanges } from '../../../../local/stage/change-set.ts';

const cloudFormation = mockClient(CloudFormationClient);
const s3 = mockClient(S3Client);
const plan = { stack: 'cdc-demo-prod', region: 'eu-central-1', template: '{"Resources": {}}' };

const read = () =>
  plannedChanges(
    new CloudFormationClient({ region: 'eu-central-1' }),
    new S3Client({ region: 'eu-central-1' }),
    plan,
  );

beforeEach(() => {
  cloudFormation.reset();
  s3.reset();
  s3.on(PutObjectCommand).resolves({ VersionId: 'v1' });
  s3.on(DeleteObjectCommand).resolves({});
  cloudFormation
    .on(DescribeStackResourceCommand)
    .resolves({ StackResourceDetail: { PhysicalResourceId: 'deployments' } } as never);
  cloudFormation.on(CreateChangeSetCommand).resolves({});
  cloudFormation.on(DeleteChangeSetCommand).resolves({});
});

describe('the changes that a deployment would make', () => {
  it('names what is added, modified and replaced, over all pages, and why', async () => {
    const first = {
      Action: 'Modify' as const,
      LogicalResourceId: 'BronzeJob',
      ResourceType: 'AWS::Glue::Job',
      Replacement: 'False' as const,
      Details: [
        { Target: { Attribute: 'Properties' as const, Name: 'Timeout' } },
        { Target: { Attribute: 'Properties' as const, Name: 'Timeout' } },
        { Target: { Attribute: 'Tags' as const } },
      ],
    };
    const second = {
      Action: 'Modify' as const,
      LogicalResourceId: 'KafkaCluster',
      ResourceType: 'AWS::MSK::Cluster',
      Replacement: 'Conditional' as const,
      Details: [{ Target: { Attribute: 'Properties' as const, Name: 'BrokerNodeGroupInfo' } }],
    };
    cloudFormation
      .on(DescribeChangeSetCommand)
      .resolvesOnce({ Status: 'CREATE_COMPLETE' })
      .resolvesOnce({ Changes: [{ ResourceChange: first }], NextToken: 'more' })
      .resolves({ Changes: [{ ResourceChange: second }] });

    await expect(read()).resolves.toEqual([
      {
        action: 'Modify',
        logicalId: 'BronzeJob',
        type: 'AWS::Glue::Job',
        replaced: 'no',
        because: ['Timeout', 'Tags'],
      },
      {
        action: 'Modify',
        logicalId: 'KafkaCluster',
        type: 'AWS::MSK::Cluster',
        replaced: 'maybe',
        because: ['BrokerNodeGroupInfo'],
      },
    ]);
    expect(cloudFormation.commandCalls(DescribeChangeSetCommand).at(-1)?.args[0].input.NextToken).toBe(
      'more',
    );
  });

  it('changes nothing: the change set and the uploaded template are deleted again', async () => {
    cloudFormation.on(DescribeChangeSetCommand).resolves({ Status: 'CREATE_COMPLETE', Changes: [] });
    await read();

    const [created] = cloudFormation.commandCalls(CreateChangeSetCommand);
    const [deleted] = cloudFormation.commandCalls(DeleteChangeSetCommand);
    expect(deleted?.args[0].input.ChangeSetName).toBe(created?.args[0].input.ChangeSetName);
    const [put] = s3.commandCalls(PutObjectCommand);
    expect(s3.commandCalls(DeleteObjectCommand)[0]?.args[0].input).toEqual({
      Bucket: 'deployments',
      Key: put?.args[0].input.Key,
      // Otherwise it stays behind a delete marker, and the bucket can't be removed.
      VersionId: 'v1',
    });
    expect(created?.args[0].input.TemplateURL).toBe(
      `https://deployments.s3.eu-central-1.amazonaws.com/${put?.args[0].input.Key}`,
    );
  });

  it('is empty for a template that the stack already has', async () => {
    cloudFormation.on(DescribeChangeSetCommand).resolves({
      Status: 'FAILED',
      StatusReason: "The submitted information didn't contain changes. Submit different information.",
    });
    await expect(read()).resolves.toEqual([]);
  });

  it('says why CloudFormation refuses a template, and cleans up', async () => {
    cloudFormation
      .on(DescribeChangeSetCommand)
      .resolves({ Status: 'FAILED', StatusReason: 'Template error: no such resource' });
    await expect(read()).rejects.toThrow(
      'CloudFormation made no change set for cdc-demo-prod: Template error: no such resource',
    );
    expect(cloudFormation.commandCalls(DeleteChangeSetCommand)).toHaveLength(1);
    expect(s3.commandCalls(DeleteObjectCommand)).toHaveLength(1);
  });
});
