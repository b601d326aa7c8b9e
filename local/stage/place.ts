import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { Deployment } from '../../functions/cdc/names.ts';
import { deployedName } from '../aws/lambda/function.ts';
import { UsageError } from '../usage-error.ts';
import { CALL_LOG } from './failed-call.ts';
import { deployedRegion } from './parameters.ts';

/** What the clients of a stage are made with. An endpoint and credentials that AWS's own variables name need not be here. */
export type ClientSettings = {
  region: string;
  endpoint?: string;
  credentials?: { accessKeyId: string; secretAccessKey: string };
  logger?: typeof CALL_LOG;
  requestHandler?: { connectionTimeout: number };
};

/** Where a stage is asked for. */
export type StageAddress = { stage: string; settings: ClientSettings };

/** A stage with the account that the credentials open. */
export type Place = StageAddress & {
  deployment: Deployment;
  region: string;
  account: string;
  /** `aws`, `aws-cn` and so on. */
  partition: string;
  /** ARN of who asks. */
  caller: string;
  /** `bronze` -> `cdc-demo-dev-bronze`; without a part the stack's name. */
  name(part?: string): string;
  /** `states`, `stateMachine:cdc-demo-dev-medallion` -> its ARN. */
  arn(service: string, resource: string): string;
};

/** As `service` and `stage` of serverless.yml end up in names: https://www.serverless.com/framework/docs/providers/aws/guide/deploying */
const STAGE_NAME = /^[a-z][a-z0-9-]{0,19}$/;
/** https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html */
const REGION_NAME = /^[a-z]{2,}(-[a-z]+)+-\d{1,2}$/;
/** Left to itself the SDK waits for the kernel to give up, minutes for each of its attempts. */
const CONNECT_WITHIN_MS = 5_000;

/**
 * A stage's address. Without a region, the one that `sls deploy` takes, so that both speak of the same place.
 * @throws UsageError when the stage's or the region's name can't be one
 */
export function stageAddress(stage: string, region: string | undefined): StageAddress {
  if (!STAGE_NAME.test(stage)) {
    throw new UsageError(
      `--stage must be a stage's name as sls deploy takes it (dev, staging, prod), not ${stage}.`,
    );
  }
  if (region !== undefined && !REGION_NAME.test(region)) {
    throw new UsageError(`--region must be a region's name (us-east-1, eu-central-1), not ${region}.`);
  }
  return {
    stage,
    settings: {
      region: region ?? deployedRegion(),
      logger: CALL_LOG,
      requestHandler: { connectionTimeout: CONNECT_WITHIN_MS },
    },
  };
}

/** Asks AWS whose credentials these are. */
export async function openPlace(address: StageAddress, project: string): Promise<Place> {
  const { Account, Arn } = await new STSClient(address.settings).send(new GetCallerIdentityCommand({}));
  if (!Account || !Arn) throw new Error('AWS did not say whose credentials these are.');
  const deployment = { project, stage: address.stage };
  const { region } = address.settings;
  const partition = Arn.split(':')[1] ?? 'aws';
  return {
    ...address,
    deployment,
    region,
    account: Account,
    partition,
    caller: Arn,
    name: (part) =>
      part === undefined ? deployedName(deployment, '').slice(0, -1) : deployedName(deployment, part),
    arn: (service, resource) => `arn:${partition}:${service}:${region}:${Account}:${resource}`,
  };
}
