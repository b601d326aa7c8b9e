/** Roles by which AWS's services act in the account. The first use makes them, and that first use may fail meanwhile. */
import { CreateServiceLinkedRoleCommand, IAMClient, ListRolesCommand } from '@aws-sdk/client-iam';
import { type Check, missing, note, ok } from '../../check.ts';
import { firstLine } from '../errors.ts';
import type { ClientSettings } from '../place.ts';

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html, a page each */
const SERVICES: Readonly<Record<string, string>> = {
  'ecs.amazonaws.com': 'role of ECS',
  'kafka.amazonaws.com': 'role of MSK',
  'rds.amazonaws.com': 'role of RDS',
  'kafka.application-autoscaling.amazonaws.com': "role of MSK's autoscaling",
};

/** Checks the service-linked roles that a stage needs; with `create`, makes those that are missing. */
export async function checkServiceRoles(settings: ClientSettings, create: boolean): Promise<Check[]> {
  const iam = new IAMClient(settings);
  const checks: Check[] = [];
  for (const [service, what] of Object.entries(SERVICES)) {
    checks.push(await checkServiceRole(iam, service, what, create));
  }
  return checks;
}

async function checkServiceRole(
  iam: IAMClient,
  service: string,
  what: string,
  create: boolean,
): Promise<Check> {
  const command = `aws iam create-service-linked-role --aws-service-name ${service}`;
  try {
    // A service's own path holds its role and nothing else.
    const asked = { PathPrefix: `/aws-service-role/${service}/` };
    const role = (await iam.send(new ListRolesCommand(asked))).Roles?.[0];
    if (role) return ok(what, role.RoleName ?? 'there');
    if (!create) return missing(what, 'not there yet', `${command} (or doctor --create-roles)`);
  } catch (error) {
    return note(what, `not read: ${firstLine(error)}`, `If it is missing: ${command}`);
  }
  try {
    await iam.send(new CreateServiceLinkedRoleCommand({ AWSServiceName: service }));
    return ok(what, 'created');
  } catch (error) {
    return missing(what, `could not be created: ${firstLine(error)}`, command);
  }
}
