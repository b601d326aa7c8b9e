import { createRequire } from 'node:module';

/** A definition in Amazon States Language, JSONPath. */
export type Definition = { StartAt: string; States: Record<string, State> };

type State = {
  Type: string;
  Next?: string;
  End?: boolean;
  Default?: string;
  Resource?: string;
  Parameters?: Record<string, unknown>;
  TimeoutSeconds?: number;
  ResultPath?: string;
  Choices?: { Next?: string }[];
  Retry?: Retry[];
  Catch?: { ErrorEquals: string[]; Next?: string }[];
  /** Of a Map. */
  ItemProcessor?: Definition;
  ItemsPath?: string;
};

type Retry = {
  ErrorEquals: string[];
  BackoffRate?: number;
  IntervalSeconds?: number;
  MaxAttempts?: number;
  MaxDelaySeconds?: number;
  JitterStrategy?: string;
};

type Validate = (
  definition: object,
  options: { checkPaths: boolean; checkArn: boolean },
) => { isValid: boolean; errorsText(): string };

// CommonJS without types.
const validate = createRequire(import.meta.url)('asl-validator') as Validate;

/** The integrations that the platform uses, with the parameters that each can't do without. */
const INTEGRATIONS: Record<string, string[]> = {
  'arn:aws:states:::lambda:invoke': ['FunctionName', 'Payload'],
  'arn:aws:states:::glue:startJobRun.sync': ['JobName', 'Arguments'],
  'arn:aws:states:::sns:publish': ['TopicArn', 'Subject', 'Message'],
  'arn:aws:states:::states:startExecution': ['StateMachineArn', 'Name', 'Input'],
  'arn:aws:states:::dynamodb:getItem': ['TableName', 'Key', 'ConsistentRead'],
  'arn:aws:states:::dynamodb:updateItem': ['TableName', 'Key', 'UpdateExpression'],
  'arn:aws:states:::dynamodb:deleteItem': ['TableName', 'Key'],
  'arn:aws:states:::aws-sdk:cloudwatch:describeAlarms': ['AlarmNamePrefix'],
  'arn:aws:states:::aws-sdk:cloudwatch:disableAlarmActions': ['AlarmNames'],
  'arn:aws:states:::aws-sdk:cloudwatch:enableAlarmActions': ['AlarmNames'],
  'arn:aws:states:::aws-sdk:ecs:updateService': ['Cluster', 'Service', 'DesiredCount'],
  'arn:aws:states:::aws-sdk:eventbridge:describeRule': ['Name'],
  'arn:aws:states:::aws-sdk:eventbridge:disableRule': ['Name'],
  'arn:aws:states:::aws-sdk:eventbridge:enableRule': ['Name'],
  'arn:aws:states:::aws-sdk:pipes:listPipes': ['NamePrefix'],
  'arn:aws:states:::aws-sdk:pipes:startPipe': ['Name'],
  'arn:aws:states:::aws-sdk:pipes:stopPipe': ['Name'],
  'arn:aws:states:::aws-sdk:rds:describeDBInstances': ['DbInstanceIdentifier'],
  'arn:aws:states:::aws-sdk:rds:startDBInstance': ['DbInstanceIdentifier'],
  'arn:aws:states:::aws-sdk:rds:stopDBInstance': ['DbInstanceIdentifier'],
  'arn:aws:states:::aws-sdk:scheduler:getSchedule': ['Name'],
  // It replaces a schedule: what is left out is lost.
  'arn:aws:states:::aws-sdk:scheduler:updateSchedule': [
    'Name',
    'State',
    'Description',
    'ScheduleExpression',
    'ScheduleExpressionTimezone',
    'FlexibleTimeWindow',
    'Target',
    'KmsKeyArn',
  ],
};

/** Everything that is wrong with a definition, by asl-validator and by what it doesn't look at. */
export function problemsOf(definition: Definition): string[] {
  const checked = validate(structuredClone(definition), { checkPaths: true, checkArn: false });
  const known = checked.isValid ? [] : [checked.errorsText()];
  return [...known, ...nameProblems(definition), ...problemsIn(definition, false)];
}

/** Names are unique in the whole machine, its Maps included (https://states-language.net/#statemachine). */
function nameProblems(definition: Definition): string[] {
  const names = namesIn(definition);
  return names
    .filter((name, index) => names.indexOf(name) !== index)
    .map((name) => `${name} is the name of two states`);
}

function namesIn({ States }: Definition): string[] {
  return Object.entries(States).flatMap(([name, { ItemProcessor: inner }]) => [
    name,
    ...(inner ? namesIn(inner) : []),
  ]);
}

/** `caught`: a Map catches what its states don't. */
function problemsIn(definition: Definition, caught: boolean): string[] {
  const states = Object.entries(definition.States);
  return [
    ...flowProblems(definition),
    ...states.flatMap(([name, state]) => stateProblems(name, state, caught)),
  ];
}

function flowProblems({ StartAt, States }: Definition): string[] {
  const reached = new Set<string>();
  const open = [StartAt];
  const missing: string[] = [];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (reached.has(name)) continue;
    reached.add(name);
    const state = States[name];
    if (state === undefined) missing.push(`no state ${name}`);
    else open.push(...nextOf(state));
  }
  const unreached = Object.keys(States).filter((name) => !reached.has(name));
  return [...missing, ...unreached.map((name) => `${name} is never reached`)];
}

function nextOf({ Next, Default, Choices = [], Catch = [] }: State): string[] {
  return [
    Next,
    Default,
    ...Choices.map((choice) => choice.Next),
    ...Catch.map((caught) => caught.Next),
  ].filter((name) => name !== undefined);
}

function stateProblems(name: string, state: State, caught: boolean): string[] {
  const problems = (state.Retry ?? []).flatMap((retry) => retryProblems(name, retry));
  if (state.Type === 'Choice' && state.Default === undefined) problems.push(`${name} has no Default`);
  if (state.Type === 'Task') return [...problems, ...taskProblems(name, state, caught)];
  return state.Type === 'Map' ? [...problems, ...mapProblems(name, state)] : problems;
}

function mapProblems(name: string, state: State): string[] {
  const problems = state.ItemProcessor ? problemsIn(state.ItemProcessor, true) : [`${name} does nothing`];
  if (state.ItemsPath === undefined) problems.push(`${name} has no ItemsPath`);
  return [...problems, ...endProblems(name, state, false)];
}

function endProblems(
  name: string,
  { ResultPath, Catch }: Pick<State, 'ResultPath' | 'Catch'>,
  caught: boolean,
): string[] {
  const catches = Catch?.some(({ ErrorEquals }) => ErrorEquals.includes('States.ALL'));
  return [
    ...(ResultPath === undefined ? [`${name} replaces the whole state by its result`] : []),
    ...(catches || caught ? [] : [`${name} does not catch everything`]),
  ];
}

function taskProblems(
  name: string,
  { Resource = '', Parameters = {}, ...state }: State,
  caught: boolean,
): string[] {
  const required = INTEGRATIONS[Resource];
  if (required === undefined) return [`${name} uses ${Resource}, which is none of ours`];
  const problems = required
    .filter((parameter) => !(parameter in Parameters) && !(`${parameter}.$` in Parameters))
    .map((parameter) => `${name} gives no ${parameter}`);
  if (state.TimeoutSeconds === undefined) problems.push(`${name} has no TimeoutSeconds`);
  if (state.Retry === undefined) problems.push(`${name} is never tried again`);
  return [...problems, ...endProblems(name, state, caught)];
}

function retryProblems(name: string, retry: Retry): string[] {
  const problems: string[] = [];
  if ((retry.BackoffRate ?? 0) < 1) problems.push(`${name} retries without a BackoffRate of 1 or more`);
  if (retry.JitterStrategy !== 'FULL') problems.push(`${name} retries without jitter`);
  for (const field of ['IntervalSeconds', 'MaxAttempts', 'MaxDelaySeconds'] as const) {
    if ((retry[field] ?? 0) < 1) problems.push(`${name} retries without ${field}`);
  }
  return problems;
}
