import { PROJECT_ROOT } from '../../local/state.ts';
import { readAuthorization } from './iam/authorization.ts';
import { callsOf } from './iam/calls.ts';
import { coverageRules } from './iam/coverage.ts';
import { endpointRule } from './iam/endpoints.ts';
import { grantRules } from './iam/grants.ts';
import { type CallsInCode, functionName } from './iam/needs.ts';
import { pythonCallsOf } from './iam/python-calls.ts';
import { serviceAccess } from './iam/services.ts';
import { functionRules } from './rules/functions.ts';
import { glueRules } from './rules/glue.ts';
import { kafkaRules } from './rules/kafka.ts';
import { keptRules } from './rules/kept.ts';
import { limitRules } from './rules/limits.ts';
import { machineRules } from './rules/machines.ts';
import { nameRules } from './rules/names.ts';
import { networkRules } from './rules/network.ts';
import { noticeRules } from './rules/notices.ts';
import { orderRules } from './rules/order.ts';
import { pipeRules } from './rules/pipes.ts';
import { referenceRules } from './rules/references.ts';
import { scheduleRules } from './rules/schedules.ts';
import { ofType, type Rule, type Template } from './template.ts';

const authorization = readAuthorization();

/** Every rule that looks at a packaged template. */
export const RULES: readonly Rule[] = [
  ...kafkaRules,
  ...glueRules,
  ...pipeRules,
  ...machineRules,
  ...functionRules,
  ...networkRules,
  ...referenceRules,
  ...scheduleRules,
  ...noticeRules,
  ...keptRules,
  ...orderRules,
  ...limitRules,
  ...nameRules,
  ...grantRules(authorization),
  ...coverageRules(authorization, callsInCode),
  serviceAccess,
  endpointRule(callsInCode),
];

/** The AWS calls in the code of every function that a template deploys, and of the jobs. */
export function callsInCode(template: Template): CallsInCode {
  const functions = ofType(template, 'AWS::Lambda::Function').map(([, lambda]) => {
    const file = `${String(lambda['Handler']).replace(/\.\w+$/, '')}.ts`;
    return [functionName(lambda), callsOf(PROJECT_ROOT, file)] as const;
  });
  return { functions: Object.fromEntries(functions), glue: pythonCallsOf(PROJECT_ROOT, 'glue') };
}
