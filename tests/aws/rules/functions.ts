import { FUNCTIONS } from '../../../resources/network-apis.ts';
import { resolve, textOf } from '../physical.ts';
import { ofType, type Problem, type Properties, type Rule, rule, ruleFor, valuesIn } from '../template.ts';

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const ENVIRONMENT_BYTES = 4096;

export const environmentSize: Rule = ruleFor(
  'function-environment-size',
  'AWS::Lambda::Function',
  (lambda, _id, template) => {
    const variables = resolve(template, lambda['Environment']?.Variables ?? {});
    const bytes = Buffer.byteLength(JSON.stringify(variables));
    return bytes <= ENVIRONMENT_BYTES
      ? []
      : [{ what: `${bytes} bytes of environment`, remedy: `keep it within ${ENVIRONMENT_BYTES}` }];
  },
);

/** Secrets are named in the environment, never written there: whoever may see a function's configuration sees it. */
export const plaintextSecrets: Rule = rule('plaintext-secret', (template) => {
  const lambdas = ofType(template, 'AWS::Lambda::Function').flatMap(([id, { Environment }]) =>
    Object.entries<unknown>(Environment?.Variables ?? {}).map(([name, value]) => ({ id, name, value })),
  );
  const containers = ofType(template, 'AWS::ECS::TaskDefinition').flatMap(
    ([id, { ContainerDefinitions = [] }]) =>
      (ContainerDefinitions as Properties[]).flatMap(({ Environment = [] }) =>
        (Environment as { Name: string; Value: unknown }[]).map(({ Name, Value }) => ({
          id,
          name: Name,
          value: Value,
        })),
      ),
  );
  return [...lambdas, ...containers].flatMap(({ id, name, value }): Problem[] => {
    const text = textOf(template, value);
    if (
      !/\{\{resolve:(secretsmanager|ssm-secure):/.test(text) &&
      !(isSecretName(name) && !namesSecret(name, text))
    ) {
      return [];
    }
    return [
      {
        where: `${id}.${name}`,
        what: 'a secret’s value stands in the environment',
        remedy: 'give the secret’s name or ARN and read it at run time (ECS: Secrets, ValueFrom)',
      },
    ];
  });
});

function isSecretName(name: string): boolean {
  return (
    /PASSWORD|SECRET|TOKEN|CREDENTIAL|API_?KEY|PRIVATE_?KEY|JAAS/i.test(name) &&
    !/SENSITIVE_PROPERTIES/.test(name)
  );
}

/** `..._SECRET_ID` and `..._SECRET_ARN` hold a name; Connect's variables may name a provider's reference, `${env:...}`. */
function namesSecret(name: string, text: string): boolean {
  return (
    text === '' ||
    /_(ID|ARN|NAME|PROVIDERS?|CLASS)$/.test(name) ||
    text.startsWith('arn:') ||
    /^\$\{env:/.test(text)
  );
}

export const vpc: Rule = ruleFor('function-vpc', 'AWS::Lambda::Function', (lambda) => {
  const name = String(lambda['Handler']).split('/')[1] ?? '';
  const wanted = FUNCTIONS[name]?.vpc ?? false;
  if (wanted === (lambda['VpcConfig'] !== undefined)) return [];
  return [
    wanted
      ? { what: `${name} can't reach the source or Connect`, remedy: 'give it the vpc of custom.vpc' }
      : {
          what: `${name} needs nothing in the VPC, which costs it the way to AWS's APIs`,
          remedy: 'take vpc away',
        },
  ];
});

export const ownRoles: Rule = rule('function-role', (template) => {
  const used = new Map<string, string>();
  return ofType(template, 'AWS::Lambda::Function').flatMap(([id, { Role }]): Problem[] => {
    const role = JSON.stringify(Role);
    const other = used.get(role);
    used.set(role, id);
    return other === undefined
      ? []
      : [{ where: `${id}.Role`, what: `shares the role of ${other}`, remedy: 'give each function its own' }];
  });
});

/** Without a log group of ours, Lambda makes one that keeps everything, unencrypted by our key. */
export const functionLogs: Rule = ruleFor(
  'function-logs',
  'AWS::Lambda::Function',
  (lambda, _id, template) => {
    const name = `/aws/lambda/${textOf(template, lambda['FunctionName'])}`;
    const own = ofType(template, 'AWS::Logs::LogGroup').some(
      ([, { LogGroupName }]) => textOf(template, LogGroupName) === name,
    );
    return own ? [] : [{ what: `no log group ${name}`, remedy: 'let osls make it (no disableLogs)' }];
  },
);

export const logGroups: Rule = ruleFor('log-group', 'AWS::Logs::LogGroup', (group) => {
  const found = [];
  if (group['RetentionInDays'] === undefined) {
    found.push({ what: 'keeps its lines for ever', remedy: 'set RetentionInDays' });
  }
  if (group['KmsKeyId'] === undefined) found.push({ what: 'not under our key', remedy: 'set KmsKeyId' });
  return found;
});

/** `{{resolve:...}}` is for properties that take secrets; elsewhere its value is shown by whoever shows the resource. */
export const dynamicReferences: Rule = rule('dynamic-reference', (template) =>
  Object.entries(template.Resources).flatMap(([id, { Properties: properties }]): Problem[] =>
    [...valuesIn(properties)].flatMap(({ path, value }) => {
      if (typeof value !== 'string' || !value.includes('{{resolve:')) return [];
      if (path.some((name) => /^(MasterUserPassword|SecretString)$/.test(name))) return [];
      return [
        {
          where: `${id}.${path.join('.')}`,
          what: `${value} must exist before the first deploy, and is read at every one`,
          remedy: 'refer to a resource of this template, or read it at run time',
        },
      ];
    }),
  ),
);

export const functionRules: Rule[] = [
  environmentSize,
  plaintextSecrets,
  vpc,
  ownRoles,
  functionLogs,
  logGroups,
  dynamicReferences,
];
