/** What a stage needs before its first deployment, and how it stands afterwards. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { DescribeAvailabilityZonesCommand, EC2Client } from '@aws-sdk/client-ec2';
import type { Registry } from '../../../functions/cdc/registry.ts';
import { type Check, missing, note, ok } from '../../check.ts';
import { PROJECT_ROOT } from '../../state.ts';
import { explainAwsError, firstLine } from '../errors.ts';
import { stageParameters } from '../parameters.ts';
import { openPlace, type Place, type StageAddress } from '../place.ts';
import { findStack, type Stack } from '../stack.ts';
import { type ImageTag, resolveDigest } from './image-digest.ts';
import { checkQuotas } from './quotas.ts';
import { checkServiceRoles } from './service-roles.ts';
import { checkVersions } from './versions.ts';

/** Stack states that wait for somebody, and what to do: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html */
const STUCK: Readonly<Record<string, string>> = {
  ROLLBACK_COMPLETE:
    'Its first deployment failed. Remove it with `npx sls remove --stage <stage>`, put right what its events name, and deploy again.',
  ROLLBACK_FAILED:
    'Its first deployment failed and could not be undone: see its events, then `npx sls remove --stage <stage>`.',
  UPDATE_ROLLBACK_FAILED:
    'An update failed and could not be undone: see its events, then `aws cloudformation continue-update-rollback --stack-name <stack>`.',
  DELETE_FAILED:
    'Its removal stopped half-way: see its events for what is in the way, then `npx sls remove --stage <stage>` again.',
};

export type CheckupOptions = {
  /** Makes missing service-linked roles. */
  createRoles: boolean;
  onCheck(check: Check): void;
};

/** Looks at everything, each finding told as it is made. Whether a deployment can work. */
export async function checkUp(
  address: StageAddress,
  registry: Registry,
  { createRoles, onCheck }: CheckupOptions,
): Promise<boolean> {
  let sound = true;
  const tell = (checks: readonly Check[]) => {
    for (const check of checks) {
      if (check.result === 'missing') sound = false;
      onCheck(check);
    }
  };
  const parameters = stageParameters(address.stage);
  tell(checkTools());
  tell([await checkImage(parameters)]);
  tell([checkAlertEmail(parameters)]);
  const place = await checkCredentials(address, registry, (check) => tell([check]));
  if (place === null) return false;
  const stack = await readStackIfAllowed(place, (check) => tell([check]));
  const zones = Number(parameters['availabilityZones'] ?? 2);
  tell([await checkZones(place, zones)]);
  tell(
    await checkVersions(place.settings, {
      kafka: String(parameters['kafkaVersion']),
      postgres: parameters['database'] === 'own' ? String(parameters['databaseVersion']) : null,
    }),
  );
  tell(
    await checkQuotas(place.settings, {
      topics: registry.tables.length + 1,
      brokers: Number(parameters['brokers'] ?? zones),
      natGateways: parameters['egress'] === 'endpoints' ? 0 : 1,
      deployed: stack !== null,
    }),
  );
  tell(await checkServiceRoles(place.settings, createRoles));
  return sound;
}

/** What `sls deploy` runs on, beside Node.js itself. */
function checkTools(): Check[] {
  const sls = existsSync(join(PROJECT_ROOT, 'node_modules', '.bin', 'sls'));
  return [
    ok('Node.js', process.version),
    sls
      ? ok('serverless (osls)', 'installed')
      : missing('serverless (osls)', 'not installed', 'npm ci --ignore-scripts'),
  ];
}

/** The image's digest is a parameter without a default, because nobody but the registry can say it. */
async function checkImage(parameters: Readonly<Record<string, unknown>>): Promise<Check> {
  const what = 'Debezium image';
  const written = String(parameters['debeziumImage'] ?? '');
  const given = written.includes('@sha256:') ? written : (process.env['DEBEZIUM_IMAGE'] ?? '');
  const image = debeziumImage();
  const name = `quay.io/${image.repository}`;
  if (/^\S+@sha256:[0-9a-f]{64}$/.test(given) && !given.startsWith(`${name}@`)) {
    return ok(what, `${given} (a copy; whether it is ${image.tag} only its owner knows)`);
  }
  let digest: string;
  try {
    digest = await resolveDigest(image);
  } catch (error) {
    const why = `${image.tag} not resolved: ${firstLine(error)}`;
    if (given)
      return note(what, `${given}; ${why}`, 'Nothing, if that digest was found by this command before.');
    return missing(what, why, 'Run this on a machine that reaches quay.io; the digest is never guessed.');
  }
  const line = `${name}@${digest}`;
  if (given === line) return ok(what, `${image.tag} is ${digest}`);
  return missing(
    what,
    given ? `${given} is not ${image.tag}, which is ${digest}` : `${image.tag} is ${digest}`,
    `export DEBEZIUM_IMAGE=${line}\n    or in serverless.yml: debeziumImage: ${line}`,
  );
}

/** The tag that the twin runs, too: both take Debezium's version from the pom. */
export function debeziumImage(): ImageTag {
  const pom = readFileSync(join(PROJECT_ROOT, 'local', 'setup', 'jars', 'pom.xml'), 'utf8');
  const tag = /<debezium\.version>([^<]+)</.exec(pom)?.[1];
  if (tag === undefined) throw new Error('local/setup/jars/pom.xml has no debezium.version.');
  return { registry: 'https://quay.io', repository: 'debezium/connect', tag };
}

function checkAlertEmail(parameters: Readonly<Record<string, unknown>>): Check {
  const what = 'alerts by e-mail';
  const email = parameters['alertEmail'];
  if (typeof email === 'string' && email.includes('@')) return ok(what, email);
  return note(
    what,
    'nobody',
    'Set alertEmail in serverless.yml, params; without it alerts reach only the queue.',
  );
}

async function checkCredentials(
  address: StageAddress,
  registry: Registry,
  tell: (check: Check) => void,
): Promise<Place | null> {
  const what = 'AWS credentials';
  try {
    const place = await openPlace(address, registry.project);
    const found = `account ${place.account}, ${place.caller}`;
    const root = place.caller.endsWith(':root');
    tell(
      root ? note(what, found, 'This is the root user; use a role or a user of its own.') : ok(what, found),
    );
    tell(ok('region', `${place.region} answers`));
    return place;
  } catch (error) {
    const explained = explainAwsError(error, address);
    if (explained === null) throw error;
    tell(missing(what, 'not usable', explained.message));
    return null;
  }
}

async function readStackIfAllowed(place: Place, tell: (check: Check) => void): Promise<Stack | null> {
  const what = `stack ${place.name()}`;
  try {
    const stack = await findStack(new CloudFormationClient(place.settings), place.name());
    tell(stack === null ? ok(what, 'not deployed yet') : stackCheck(what, stack, place));
    return stack;
  } catch (error) {
    tell(
      note(
        what,
        `not read: ${firstLine(error)}`,
        'The deployment needs CloudFormation; see docs/security.md.',
      ),
    );
    return null;
  }
}

function stackCheck(what: string, { name, status, reason }: Stack, { stage }: Place): Check {
  const remedy = STUCK[status]?.replaceAll('<stage>', stage).replaceAll('<stack>', name);
  if (remedy !== undefined) return missing(what, reason ? `${status}: ${reason}` : status, remedy);
  if (status.endsWith('_IN_PROGRESS'))
    return note(what, status, 'Something is being deployed now; wait for its end.');
  return ok(what, status);
}

async function checkZones({ settings, region }: Place, needed: number): Promise<Check> {
  const what = 'availability zones';
  try {
    const { AvailabilityZones } = await new EC2Client(settings).send(
      new DescribeAvailabilityZonesCommand({
        Filters: [{ Name: 'zone-type', Values: ['availability-zone'] }],
      }),
    );
    const there = (AvailabilityZones ?? []).filter(({ State }) => State === 'available').length;
    const found = `${there} in ${region}, the stage takes ${needed}`;
    return there >= needed ? ok(what, found) : missing(what, found, 'Name another region with --region.');
  } catch (error) {
    return note(what, `not read: ${firstLine(error)}`, `The stage takes ${needed}.`);
  }
}
