import { join } from 'node:path';
import { CloudFormationClient, ListStackResourcesCommand } from '@aws-sdk/client-cloudformation';
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { execa } from 'execa';
import { REGION } from '../../local/aws/platform.ts';
import { PROJECT_ROOT } from '../../local/state.ts';
import type { World } from './world.ts';

/** What an account holds, by what lists it: `{ 'glue jobs': ['cdc-demo-dev-bronze', ...], ... }`. */
export type Holdings = Record<string, string[]>;

/** Variables with which a program speaks to the world's account, and to no other that this machine may know. */
export function credentialsOf({ clients }: Pick<World, 'clients'>): Record<string, string | undefined> {
  return {
    AWS_ENDPOINT_URL: clients.endpoint,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_PROFILE: undefined,
    AWS_SESSION_TOKEN: undefined,
  };
}

/** Asks every service of the deployment. */
export async function holdingsOf({ clients }: Pick<World, 'clients'>): Promise<Holdings> {
  const python = join(PROJECT_ROOT, '.venv', 'bin', 'python');
  const { stdout } = await execa(python, [join(import.meta.dirname, 'list_services.py')], {
    timeout: 300_000,
    env: { AWS_ENDPOINT_URL: clients.endpoint },
  });
  return JSON.parse(stdout) as Holdings;
}

/** The holdings that are not empty. */
export function notEmpty(holdings: Holdings): Holdings {
  return Object.fromEntries(Object.entries(holdings).filter(([, names]) => names.length > 0));
}

/** A deployed function's answer to an event in JSON. @throws Error with the function's own when it fails */
export async function invokeFunction(
  { clients }: Pick<World, 'clients'>,
  FunctionName: string,
  Payload: string,
): Promise<Record<string, unknown>> {
  const answer = await new LambdaClient(clients).send(new InvokeCommand({ FunctionName, Payload }));
  const text = answer.Payload?.transformToString() ?? '';
  if (answer.FunctionError !== undefined) throw new Error(`${FunctionName} failed: ${text}`);
  return JSON.parse(text);
}

/** Whether alarms do what they are to do, each answer once: `[true]` when all of them do. */
export async function alarmActions({ clients }: Pick<World, 'clients'>): Promise<(boolean | undefined)[]> {
  const { MetricAlarms = [] } = await new CloudWatchClient(clients).send(new DescribeAlarmsCommand({}));
  return [...new Set(MetricAlarms.map(({ ActionsEnabled }) => ActionsEnabled))];
}

/** Physical ids of a stack's resources by their logical ones. */
export async function stackResources(
  { clients }: Pick<World, 'clients'>,
  stack: string,
): Promise<Record<string, string>> {
  const cloudFormation = new CloudFormationClient(clients);
  const { StackResourceSummaries = [] } = await cloudFormation.send(
    new ListStackResourcesCommand({ StackName: stack }),
  );
  return Object.fromEntries(
    StackResourceSummaries.map(({ LogicalResourceId, PhysicalResourceId }) => [
      LogicalResourceId ?? '',
      PhysicalResourceId ?? '',
    ]),
  );
}
