import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../../../local/state.ts';
import { ACCOUNT, REGION } from '../physical.ts';

/** AWS's Service Authorization Reference, as far as it is asked. Actions are written `service:Name` in any case. */
export type Authorization = {
  knows(action: string): boolean;
  /** Every action that an action pattern of a policy allows, in lower case. */
  matching(pattern: string): string[];
  /** ARNs that the action can be granted on, as regular expressions; none: AWS takes `*` alone. */
  resourcesOf(action: string): RegExp[];
};

type Reference = Record<
  string,
  {
    Actions: Record<string, { Resources?: string[] }>;
    Resources: Record<string, { ARNFormats: string[] }>;
  }
>;

/** Formats that the reference gives too widely: a bucket's would match its objects. */
const NARROWER: Readonly<Record<string, RegExp>> = {
  's3:bucket': /^arn:aws:s3:::[^/]+$/,
  's3:object': /^arn:aws:s3:::[^/]+\/.+$/,
};

const PLACES: Readonly<Record<string, string>> = { Partition: 'aws', Region: REGION, Account: ACCOUNT };

/** The copy of the reference that cfn-lint brings with it. @throws Error when the twin's environment is not installed */
export function readAuthorization(): Authorization {
  const packages = join(PROJECT_ROOT, '.venv', 'lib');
  const python = readdirSync(packages).find((name) => name.startsWith('python')) ?? 'python3';
  const file = join(packages, python, 'site-packages', 'cfnlint', 'data', 'AdditionalSpecs', 'Policies.json');
  const reference = JSON.parse(readFileSync(file, 'utf8')) as Reference;
  const find = (action: string) => {
    const [service = '', name = ''] = action.toLowerCase().split(':');
    return { service, found: reference[service]?.Actions[name] };
  };
  return {
    knows: (action) => find(action).found !== undefined,
    matching: (pattern) => {
      const [service = '', name = ''] = pattern.toLowerCase().split(':');
      const glob = globOf(name);
      return Object.keys(reference[service]?.Actions ?? {})
        .filter((action) => glob.test(action))
        .map((action) => `${service}:${action}`);
    },
    resourcesOf: (action) => {
      const { service, found } = find(action);
      return (found?.Resources ?? []).flatMap((resource) => formatsOf(reference, service, resource));
    },
  };
}

function formatsOf(reference: Reference, service: string, resource: string): RegExp[] {
  const narrower = NARROWER[`${service}:${resource}`];
  if (narrower) return [narrower];
  // Actions name resources in the reference's own spelling, the list of resources is in lower case.
  return (reference[service]?.Resources[resource.toLowerCase()]?.ARNFormats ?? []).map(
    (format) =>
      new RegExp(`^${format.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => PLACES[name] ?? '[^:]*')}$`),
  );
}

/** `*` and `?` as policies mean them. */
export function globOf(pattern: string): RegExp {
  const escaped = pattern.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's');
}
