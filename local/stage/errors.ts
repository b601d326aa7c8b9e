import type { StageAddress } from './place.ts';

/** Something about AWS or the stage that has to be put right there; printed without a stack trace, exit code 1. */
export class StageError extends Error {
  override name = 'StageError';
}

type AwsError = Error & { code?: string; Code?: string; $metadata?: { httpStatusCode?: number } };

/** Names under which AWS's services and SDK speak of one trouble, and what to tell people. */
const TROUBLES: readonly { names: RegExp; text?: RegExp; say(at: StageAddress, error: Error): string }[] = [
  {
    names: /^(ExpiredToken|ExpiredTokenException|TokenRefreshRequired|RequestExpired)$/,
    say: () =>
      'The AWS credentials have expired. Log in again (`aws sso login`, or whatever gave them) and repeat.',
  },
  {
    names: /^(CredentialsProviderError|TokenProviderError|SSOTokenProviderFailure)$/,
    text: /expired|refresh/i,
    say: () => 'The AWS session has expired. Log in again with `aws sso login` and repeat.',
  },
  {
    names: /^(CredentialsProviderError|TokenProviderError|SSOTokenProviderFailure)$/,
    say: (_, error) =>
      `There are no AWS credentials (${firstLine(error)}). Set them up with \`aws configure\` or \`aws sso login\`, or name a profile with AWS_PROFILE.`,
  },
  {
    names:
      /^(InvalidClientTokenId|UnrecognizedClientException|InvalidAccessKeyId|SignatureDoesNotMatch|InvalidSignatureException|AuthFailure)$/,
    say: (_, error) =>
      `AWS does not accept these credentials (${firstLine(error)}). Check AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.`,
  },
  {
    names:
      /^(AccessDenied|AccessDeniedException|UnauthorizedOperation|AuthorizationErrorException|NotAuthorized|Forbidden)$/,
    say: ({ stage }, error) =>
      `These credentials may not do that on stage ${stage}: ${firstLine(error)}. Ask for the right, or name another profile with AWS_PROFILE; docs/security.md lists who may do what.`,
  },
  {
    names: /^(OptInRequired|SubscriptionRequiredException|RegionDisabledException)$/,
    say: ({ settings }, error) =>
      `The account has not switched this on in ${settings.region}: ${firstLine(error)}. Enable it, or name another region with --region.`,
  },
  {
    names:
      /^(Throttling|ThrottlingException|TooManyRequestsException|RequestLimitExceeded|ThrottledException)$/,
    say: (_, error) => `AWS asks for fewer requests (${firstLine(error)}). Wait a minute and repeat.`,
  },
  {
    names: /^(ENOTFOUND|EAI_AGAIN)$/,
    say: ({ settings }, error) =>
      `AWS has no address for ${settings.region} here (${firstLine(error)}). Check the region's name and this machine's network.`,
  },
  {
    names:
      /^(ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|TimeoutError|NetworkingError|EPIPE)$/,
    say: ({ settings }, error) =>
      `AWS in ${settings.region} can't be reached (${firstLine(error)}). Check this machine's network and proxy, and repeat.`,
  },
];

/**
 * The trouble that everybody has with AWS (credentials, rights, network) in one sentence that says what to do.
 * Null for an error that is none of these: a defect, whose stack is wanted.
 */
export function explainAwsError(error: unknown, at: StageAddress): StageError | null {
  if (!(error instanceof Error)) return null;
  const { name, code, Code } = error as AwsError;
  const names = [name, code, Code].filter((word): word is string => typeof word === 'string');
  const trouble = TROUBLES.find(
    (kind) => names.some((word) => kind.names.test(word)) && (kind.text?.test(error.message) ?? true),
  );
  return trouble ? new StageError(trouble.say(at, error), { cause: error }) : null;
}

/** Whether AWS says that something isn't there. */
export function isNotFound(error: unknown): boolean {
  return (
    error instanceof Error &&
    /^(ResourceNotFoundException|StateMachineDoesNotExist|NoSuchBucket|NoSuchKey|NotFound|NotFoundException|NoSuchEntity|NoSuchEntityException|ClusterNotFoundException|DBInstanceNotFound|DBInstanceNotFoundFault)$/.test(
      error.name,
    )
  );
}

/** An error in one line, with its cause where that says more: fetch, for one, says only "fetch failed". */
export function firstLine(error: unknown): string {
  const { message, name, cause } = error as Error;
  const line = (message || name).split('\n')[0]?.replace(/\.$/, '') ?? name;
  return cause instanceof Error && cause.message ? `${line} (${cause.message})` : line;
}
