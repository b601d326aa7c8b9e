import { randomUUID } from 'node:crypto';
import {
  type CloudFormationClient,
  CreateChangeSetCommand,
  DeleteChangeSetCommand,
  DescribeChangeSetCommand,
  type DescribeChangeSetOutput,
  DescribeStackResourceCommand,
  type ResourceChange,
  waitUntilChangeSetCreateComplete,
} from '@aws-sdk/client-cloudformation';
import { DeleteObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { StageError } from './errors.ts';

const DEPLOYMENT_BUCKET = 'ServerlessDeploymentBucket';
const CREATED_WITHIN_SECONDS = 300;

/** What an update would do to one resource. `replaced`: a new one takes its place, with what that means for its data. */
export type PlannedChange = {
  action: string;
  logicalId: string;
  type: string;
  replaced: 'yes' | 'maybe' | 'no';
  /** What causes it: property names, or Tags, Metadata and the like. */
  because: string[];
};

/** A packaged template, and the stack that an update would change. */
export type Plan = { stack: string; region: string; template: string };

/**
 * What deploying a template would change in a stack that exists, by a change set that is made, read and deleted again:
 * nothing is changed.
 * @throws StageError when CloudFormation refuses the template, with its reason
 */
export async function plannedChanges(
  cloudFormation: CloudFormationClient,
  s3: S3Client,
  { stack, region, template }: Plan,
): Promise<PlannedChange[]> {
  const bucket = await deploymentBucket(cloudFormation, stack);
  // Above 51,200 bytes a template must come from S3 (AWS CloudFormation quotas).
  const key = `plans/${randomUUID()}.json`;
  const { VersionId } = await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: template }));
  const id = { StackName: stack, ChangeSetName: `plan-${randomUUID()}` };
  try {
    await cloudFormation.send(
      new CreateChangeSetCommand({
        ...id,
        ChangeSetType: 'UPDATE',
        TemplateURL: `https://${bucket}.s3.${region}.amazonaws.com/${key}`,
        Capabilities: ['CAPABILITY_NAMED_IAM', 'CAPABILITY_AUTO_EXPAND'],
      }),
    );
    try {
      return await readChangeSet(cloudFormation, id);
    } finally {
      await cloudFormation.send(new DeleteChangeSetCommand(id));
    }
  } finally {
    // With its version: osls empties its own folder only, and what stays here would keep the bucket from being removed.
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key, VersionId }));
  }
}

async function deploymentBucket(cloudFormation: CloudFormationClient, stack: string): Promise<string> {
  const { StackResourceDetail } = await cloudFormation.send(
    new DescribeStackResourceCommand({ StackName: stack, LogicalResourceId: DEPLOYMENT_BUCKET }),
  );
  const bucket = StackResourceDetail?.PhysicalResourceId;
  if (!bucket)
    throw new StageError(`The stack ${stack} has no ${DEPLOYMENT_BUCKET}; was it made by sls deploy?`);
  return bucket;
}

async function readChangeSet(
  cloudFormation: CloudFormationClient,
  id: { StackName: string; ChangeSetName: string },
): Promise<PlannedChange[]> {
  try {
    await waitUntilChangeSetCreateComplete(
      { client: cloudFormation, maxWaitTime: CREATED_WITHIN_SECONDS, minDelay: 1, maxDelay: 5 },
      id,
    );
  } catch (error) {
    const { Status, StatusReason } = await cloudFormation.send(new DescribeChangeSetCommand(id));
    if (Status === 'FAILED' && /didn't contain changes|No updates/.test(StatusReason ?? '')) return [];
    throw new StageError(`CloudFormation made no change set for ${id.StackName}: ${StatusReason ?? Status}`, {
      cause: error,
    });
  }
  const changes: PlannedChange[] = [];
  let token: string | undefined;
  do {
    const page: DescribeChangeSetOutput = await cloudFormation.send(
      new DescribeChangeSetCommand({ ...id, ...(token ? { NextToken: token } : {}) }),
    );
    changes.push(
      ...(page.Changes ?? []).flatMap(({ ResourceChange: change }) => (change ? [planned(change)] : [])),
    );
    token = page.NextToken;
  } while (token);
  return changes;
}

const REPLACED = { True: 'yes', Conditional: 'maybe', False: 'no' } as const;

function planned({
  Action,
  LogicalResourceId,
  ResourceType,
  Replacement,
  ...change
}: ResourceChange): PlannedChange {
  const causes = (change.Details ?? []).map(({ Target }) => Target?.Name ?? Target?.Attribute ?? '');
  return {
    action: Action ?? 'Modify',
    logicalId: LogicalResourceId ?? '',
    type: ResourceType ?? '',
    replaced: Replacement ? REPLACED[Replacement as keyof typeof REPLACED] : 'no',
    because: [...new Set(causes.filter((cause) => cause !== ''))],
  };
}
