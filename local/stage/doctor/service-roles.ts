/** Roles by which AWS's services act in the account. The first use makes them, and that first use may fail meanwhile. */
import { CreateServiceLinkedRoleCommand, GetRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { type Check, missing, note, ok } from '../../check.ts';
import { isNotFound } from '../errors.ts';
import type { ClientSettings } from '../place.ts';

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html, a page each */
const SERVICE_ROLES: Readonly<Record<string, string>> = {
  'ecs.amazonaws.com': 'AWSServiceRoleForECS',
  'kafka.amazonaws.com': 'AWSServiceRoleForKafka',
  'rds.amazonaws.com': 'AWSServiceRoleForRDS',
  'kafka.application-autoscaling.amazonaws.com': 'AWSServiceRoleForApplicationAutoScaling_KafkaCluster',
};

/** Checks the service-linked roles that a stage needs; with `create`, makes those that are missing. */
export async function checkServiceRoles(settings: ClientSettings, create: boolean): Promise<Check[]> {
  const iam = new IAMClient(settings);
  const checks: Check[] = [];
  for (const [service, role] of Object.entries(SERVICE_ROLES)) {
    checks.push(await checkServiceRole(iam, service, role, create));
  }
  return checks;
}

async function checkServiceRole(
  iam: IAMClient,
  service: string,
  role: string,
  create: boolean,
): Promise<Check> {
  const command = `aws iam create-service-linked-role --aws-service-name ${service}`;
  try {
    await iam.send(new GetRoleCommand({ RoleName: role }));
    return ok(role, 'there');
  } catch (error) {
    if (!isNotFound(error))
      return note(role, `not read: ${(error as Error).message}`, `If it is missing: ${command}`);
    if (!create) return missing(role, 'not there yet', `${command} (or doctor --create-roles)`);
  }
  try {
    await iam.send(new CreateServiceLinkedRoleCommand({ AWSServiceName: service }));
    return ok(role, 'created');
  } catch (error) {
    return missing(role, `could not be created: ${(error as Error).message}`, command);
  }
}
