import { z } from 'zod';

/** Where Debezium's placeholder for unchanged values is found: in the environment, or in the secret that is its text. */
export type PlaceholderSetting = { value: string } | { secretId: string };

/** Variables of a function that needs the placeholder, to be spread into its environment's shape. */
export const PLACEHOLDER_VARIABLES = {
  UNAVAILABLE_PLACEHOLDER: z.string().optional(),
  UNAVAILABLE_PLACEHOLDER_SECRET_ARN: z.string().optional(),
};

type PlaceholderVariables = z.output<z.ZodObject<typeof PLACEHOLDER_VARIABLES>>;

/** The rule that one of the two is set, with its message. */
export const PLACEHOLDER_RULE = [
  (env: PlaceholderVariables) =>
    Boolean(env.UNAVAILABLE_PLACEHOLDER) !== Boolean(env.UNAVAILABLE_PLACEHOLDER_SECRET_ARN),
  'set either UNAVAILABLE_PLACEHOLDER or UNAVAILABLE_PLACEHOLDER_SECRET_ARN',
] as const;

export function placeholderSetting(variables: PlaceholderVariables): PlaceholderSetting {
  const { UNAVAILABLE_PLACEHOLDER: value, UNAVAILABLE_PLACEHOLDER_SECRET_ARN: secretId } = variables;
  return value ? { value } : { secretId: secretId as string };
}
