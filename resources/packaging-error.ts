import type { StageContext } from './generated.ts';

/** Something in the parameters of a stage that no stack could be made of; the message says what to do. */
export class PackagingError extends Error {
  override name = 'PackagingError';
  // osls prints the stack of whatever a variable's file throws; here the message says all there is to know.
  override stack = '';
}

/**
 * A parameter that allows certain values only.
 * @throws PackagingError that names the parameter, its value and the values allowed
 */
export async function chosen<Choice extends string>(
  context: StageContext,
  name: string,
  choices: readonly Choice[],
): Promise<Choice> {
  const value = await context.param(name);
  const choice = choices.find((candidate) => candidate === value);
  if (choice !== undefined) return choice;
  throw new PackagingError(
    `The parameter ${name} of stage ${context.stage} is "${value}"; it must be ${choices.join(' or ')}. Set it in serverless.yml under params, or with --param="${name}=${choices[0]}".`,
  );
}

/**
 * The values of parameters that a choice asks for.
 * @param reason why they are needed, e.g. `database=existing`
 * @throws PackagingError that names every one that has no value
 */
export async function required<Name extends string>(
  context: StageContext,
  names: readonly Name[],
  reason: string,
): Promise<Record<Name, string>> {
  const values = await Promise.all(names.map(async (name) => [name, await context.param(name)] as const));
  const missing = values.filter(([, value]) => value === '').map(([name]) => name);
  if (missing.length > 0) {
    throw new PackagingError(
      `${reason} needs the ${missing.length === 1 ? 'parameter' : 'parameters'} ${missing.join(', ')}. Set ${missing.length === 1 ? 'it' : 'them'} for stage ${context.stage} in serverless.yml under params, or with ${missing.map((name) => `--param="${name}=..."`).join(' ')}.`,
    );
  }
  return Object.fromEntries(values) as Record<Name, string>;
}
