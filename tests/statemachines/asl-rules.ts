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
};

/** Everything that is wrong with a definition, by asl-validator and by what it doesn't look at. */
export function problemsOf(definition: Definition): string[] {
  const checked = validate(structuredClone(definition), { checkPaths: true, checkArn: false });
  const known = checked.isValid ? [] : [checked.errorsText()];
  const states = Object.entries(definition.States);
  return [
    ...known,
    ...flowProblems(definition),
    ...states.flatMap(([name, state]) => stateProblems(name, state)),
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

function stateProblems(name: string, state: State): string[] {
  const problems = (state.Retry ?? []).flatMap((retry) => retryProblems(name, retry));
  if (state.Type === 'Choice' && state.Default === undefined) problems.push(`${name} has no Default`);
  return state.Type === 'Task' ? [...problems, ...taskProblems(name, state)] : problems;
}

function taskProblems(name: string, { Resource = '', Parameters = {}, ...state }: State): string[] {
  const required = INTEGRATIONS[Resource];
  if (required === undefined) return [`${name} uses ${Resource}, which is none of ours`];
  const problems = required
    .filter((parameter) => !(parameter in Parameters) && !(`${parameter}.$` in Parameters))
    .map((parameter) => `${name} gives no ${parameter}`);
  if (state.TimeoutSeconds === undefined) problems.push(`${name} has no TimeoutSeconds`);
  if (state.ResultPath === undefined) problems.push(`${name} replaces the whole state by its result`);
  if (state.Retry === undefined) problems.push(`${name} is never tried again`);
  const caught = state.Catch?.some(({ ErrorEquals }) => ErrorEquals.includes('States.ALL'));
  if (!caught) problems.push(`${name} does not catch everything`);
  return problems;
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
