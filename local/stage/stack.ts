import {
  type CloudFormationClient,
  DescribeStacksCommand,
  ListStackResourcesCommand,
  type ListStackResourcesCommandOutput,
} from '@aws-sdk/client-cloudformation';
import { StageError } from './errors.ts';
import type { Place } from './place.ts';

/** A stage's stack as it stands. */
export type Stack = {
  name: string;
  /** `UPDATE_COMPLETE` and so on. */
  status: string;
  reason: string | null;
  /** When it was made or changed last. */
  changedAt: Date;
  outputs: Readonly<Record<string, string>>;
  /** By logical id. */
  resources: ReadonlyMap<string, StackResource>;
};

export type StackResource = { type: string; physicalId: string; status: string };

/** The stage's stack, or null when there is none in this account and region. */
export async function findStack(cloudFormation: CloudFormationClient, name: string): Promise<Stack | null> {
  const found = await cloudFormation
    .send(new DescribeStacksCommand({ StackName: name }))
    .catch((error: unknown) => {
      // CloudFormation has no error of its own for this: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
      if (error instanceof Error && /does not exist/.test(error.message)) return null;
      throw error;
    });
  const stack = found?.Stacks?.[0];
  if (!stack) return null;
  return {
    name,
    status: stack.StackStatus ?? 'UNKNOWN',
    reason: stack.StackStatusReason ?? null,
    changedAt: stack.LastUpdatedTime ?? stack.CreationTime ?? new Date(0),
    outputs: Object.fromEntries(
      (stack.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey ?? '', OutputValue ?? '']),
    ),
    resources: await resourcesOf(cloudFormation, name),
  };
}

/** The stage's stack. @throws StageError that says how to deploy one */
export async function readStack(cloudFormation: CloudFormationClient, place: Place): Promise<Stack> {
  const stack = await findStack(cloudFormation, place.name());
  if (stack === null) throw noStack(place);
  return stack;
}

/** What is said where a stage's stack should be. */
export function noStack({ name, stage, region, account }: Place): StageError {
  return new StageError(
    `There is no stack ${name()} in ${region} of account ${account}. Deploy it with \`npx sls deploy --stage ${stage}\` (docs/deploy.md), or name the region it is in with --region.`,
  );
}

/** Physical id of a resource. @throws StageError when the stack doesn't have it */
export function physicalId(stack: Stack, logicalId: string): string {
  const resource = stack.resources.get(logicalId);
  if (resource?.physicalId) return resource.physicalId;
  throw new StageError(
    `The stack ${stack.name} (${stack.status}) has no ${logicalId}. Deploy this version of the project to it first.`,
  );
}

async function resourcesOf(
  cloudFormation: CloudFormationClient,
  name: string,
): Promise<Map<string, StackResource>> {
  const resources = new Map<string, StackResource>();
  let token: string | undefined;
  do {
    const page: ListStackResourcesCommandOutput = await cloudFormation.send(
      new ListStackResourcesCommand({ StackName: name, ...(token ? { NextToken: token } : {}) }),
    );
    for (const {
      LogicalResourceId,
      ResourceType,
      PhysicalResourceId,
      ResourceStatus,
    } of page.StackResourceSummaries ?? []) {
      resources.set(LogicalResourceId ?? '', {
        type: ResourceType ?? '',
        physicalId: PhysicalResourceId ?? '',
        status: ResourceStatus ?? '',
      });
    }
    token = page.NextToken;
  } while (token);
  return resources;
}
