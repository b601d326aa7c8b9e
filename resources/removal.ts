import {
  type CloudFormationClient,
  GetTemplateCommand,
  ListStackResourcesCommand,
} from '@aws-sdk/client-cloudformation';
import { DescribeDBInstancesCommand, type RDSClient } from '@aws-sdk/client-rds';
import {
  DeleteBucketCommand,
  DeleteObjectsCommand,
  ListObjectVersionsCommand,
  type S3Client,
} from '@aws-sdk/client-s3';

/** What outlives its stack. */
export type Remain = {
  logicalId: string;
  type: string;
  /** Name or id of the resource itself. */
  physicalId: string;
  /** Whether it stays itself, or leaves a snapshot. */
  policy: 'Retain' | 'Snapshot';
  /** Whether its service refuses to delete it (a database's DeletionProtection). */
  isProtected: boolean;
};

/** DeletionPolicy by what it comes to once the stack is made (a first deployment that fails retains nothing new). */
const STAYS: Readonly<Record<string, Remain['policy']>> = {
  Retain: 'Retain',
  RetainExceptOnCreate: 'Retain',
  Snapshot: 'Snapshot',
};

/** S3's limit of keys in one DeleteObjects: https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html */
const DELETED_AT_ONCE = 1000;

/**
 * What of a stack stays when it goes, by the template that it was deployed with. To be asked while it is there; of one
 * that is gone already nothing is known.
 */
export async function remainsOf(cloudFormation: CloudFormationClient, stack: string): Promise<Remain[]> {
  const template = await deployedTemplate(cloudFormation, stack);
  if (template === undefined) return [];
  const physicalIds = await physicalIdsOf(cloudFormation, stack);
  return Object.entries(template.Resources ?? {}).flatMap(
    ([logicalId, { Type: type, DeletionPolicy = 'Delete', Properties }]) => {
      const physicalId = physicalIds.get(logicalId);
      const policy = STAYS[DeletionPolicy];
      const isProtected = String(Properties?.['DeletionProtection']) === 'true';
      return policy && physicalId !== undefined ? [{ logicalId, type, physicalId, policy, isProtected }] : [];
    },
  );
}

/** Page by page: the SDK's paginators refuse a client of another copy of the SDK, which osls's is here. */
async function physicalIdsOf(
  cloudFormation: CloudFormationClient,
  stack: string,
): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  let token: string | undefined;
  do {
    const page = await cloudFormation.send(
      new ListStackResourcesCommand({
        StackName: stack,
        ...(token === undefined ? {} : { NextToken: token }),
      }),
    );
    for (const { LogicalResourceId: logical, PhysicalResourceId: physical } of page.StackResourceSummaries ??
      []) {
      if (logical && physical) ids.set(logical, physical);
    }
    token = page.NextToken;
  } while (token !== undefined);
  return ids;
}

async function deployedTemplate(
  cloudFormation: CloudFormationClient,
  stack: string,
): Promise<{ Resources?: Record<string, TemplateResource> } | undefined> {
  try {
    const { TemplateBody } = await cloudFormation.send(new GetTemplateCommand({ StackName: stack }));
    return JSON.parse(TemplateBody ?? '{}');
  } catch (error) {
    // CloudFormation's answer for a stack that is not there; it has no code of its own.
    if (error instanceof Error && /Stack with id .* does not exist/.test(error.message)) return undefined;
    throw error;
  }
}

type TemplateResource = {
  Type: string;
  DeletionPolicy?: string;
  Properties?: Record<string, unknown>;
};

/**
 * Why a removal must not begin: it would take connector, slot and publication away and then fail at the database, which is
 * protected, or of which RDS makes no snapshot while it is stopped. Null when nothing is in the way.
 */
export async function refusalOf(
  rds: RDSClient,
  remains: readonly Remain[],
  stage: string,
): Promise<string | null> {
  for (const { type, physicalId, isProtected } of remains) {
    if (type !== 'AWS::RDS::DBInstance') continue;
    if (isProtected) {
      return `The database ${physicalId} is protected against deletion, so nothing was removed. Set databaseProtected: false for ${stage} in serverless.yml, deploy, and remove again.`;
    }
    const status = await statusOf(rds, physicalId);
    if (status === 'stopped' || status === 'stopping') {
      return `The database ${physicalId} is ${status} and can leave no snapshot, so nothing was removed. Run: npx cdc cost-guard resume --stage ${stage}, and remove again.`;
    }
  }
  return null;
}

/** RDS's word for a database's state; undefined for one that is gone. */
async function statusOf(rds: RDSClient, name: string): Promise<string | undefined> {
  try {
    const { DBInstances } = await rds.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: name }));
    return DBInstances?.[0]?.DBInstanceStatus;
  } catch (error) {
    if (error instanceof Error && /^DBInstanceNotFound/.test(error.name)) return undefined;
    throw error;
  }
}

/** The names of the buckets among what stays. */
export function bucketsOf(remains: readonly Remain[]): string[] {
  return remains.filter(({ type }) => type === 'AWS::S3::Bucket').map(({ physicalId }) => physicalId);
}

/** What stays and how to delete it, a line each; nothing when nothing stays. */
export function removalNotes(
  remains: readonly Remain[],
  deployment: { prefix: string; region: string },
): string[] {
  const region = `--region ${deployment.region}`;
  const notes = remains.flatMap((remain) => noteOf(remain, region));
  if (notes.length === 0) return [];
  return [
    'What stays, and how to delete it:',
    ...notes,
    `  log groups that a service made after its own was gone: aws logs describe-log-groups --log-group-name-pattern ${deployment.prefix} ${region}`,
  ];
}

function noteOf({ type, physicalId, policy }: Remain, region: string): string[] {
  if (policy === 'Snapshot') {
    return [
      `  the last snapshot of ${physicalId}: aws rds describe-db-snapshots --db-instance-identifier ${physicalId} ${region}, ` +
        `then aws rds delete-db-snapshot --db-snapshot-identifier <its name> ${region}`,
    ];
  }
  switch (type) {
    case 'AWS::S3::Bucket':
      return [
        `  bucket ${physicalId}: \`sls remove --empty-buckets\` does it with the stack; from now on empty it in the console ` +
          `(its versions too), then aws s3api delete-bucket --bucket ${physicalId} ${region}`,
      ];
    // It goes with its bucket.
    case 'AWS::S3::BucketPolicy':
      return [];
    case 'AWS::KMS::Key':
      return [
        `  key ${physicalId}, once nothing that it encrypts is wanted any more: ` +
          `aws kms schedule-key-deletion --key-id ${physicalId} ${region}`,
      ];
    default:
      return [`  ${type} ${physicalId}`];
  }
}

/**
 * Deletes every version of every object, then the bucket.
 * @param progress told how many versions are gone, after each batch
 * @throws Error that names the bucket and the first object that could not be deleted
 */
export async function deleteBucket(
  s3: S3Client,
  bucket: string,
  progress: (deleted: number) => void = () => {},
): Promise<number> {
  let deleted = 0;
  // Always the first page: what it listed is gone when the next is asked for.
  for (;;) {
    const page = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket, MaxKeys: DELETED_AT_ONCE }));
    const versions = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])];
    if (versions.length === 0) break;
    await deleteVersions(
      s3,
      bucket,
      versions.map(({ Key, VersionId }) => ({ Key, VersionId })),
    );
    deleted += versions.length;
    progress(deleted);
  }
  await s3.send(new DeleteBucketCommand({ Bucket: bucket }));
  return deleted;
}

type Version = { Key: string | undefined; VersionId: string | undefined };

async function deleteVersions(s3: S3Client, bucket: string, versions: Version[]): Promise<void> {
  const { Errors } = await s3.send(
    new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects: versions, Quiet: true } }),
  );
  const first = Errors?.[0];
  if (first) {
    throw new Error(
      `s3://${bucket} is not empty: ${first.Key} could not be deleted (${first.Code}, ${first.Message}). ` +
        `The stack is gone; empty the bucket in the console and delete it there`,
    );
  }
}
