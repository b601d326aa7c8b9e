import { failedCall } from './failed-call.ts';
import type { StageAddress } from './place.ts';

/** Something about AWS or the stage that has to be put right there; printed without a stack trace, exit code 1. */
export class StageError extends Error {
  override name = 'StageError';
}

type AwsError = Error & {
  code?: string;
  Code?: string;
  $fault?: 'client' | 'server';
  $metadata?: { httpStatusCode?: number; requestId?: string };
};

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
      /^(AccessDenied|AccessDeniedException|UnauthorizedOperation|AuthorizationErrorException|NotAuthorized|Forbidden|403)$/,
    say: ({ stage }, error) =>
      `These credentials may not do ${failedCall(error) ?? 'that'} on stage ${stage}: ${firstLine(error)}. Ask for the right, or name another profile with AWS_PROFILE; docs/security.md lists who may do what.`,
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
  {
    names: /^ERR_INVALID_URL$/,
    say: (_, error) =>
      `An endpoint of AWS is no URL: ${(error as { input?: string }).input ?? firstLine(error)}. Check AWS_ENDPOINT_URL and the profile's endpoint_url.`,
  },
];

/**
 * The trouble that everybody has with AWS (credentials, rights, network) in one sentence that says what to do; any other
 * answer of a service in its own words, with the call. Null for an error that is none of these: a defect, whose stack is
 * wanted.
 */
export function explainAwsError(error: unknown, at: StageAddress): StageError | null {
  if (!(error instanceof Error)) return null;
  const { name, code, Code } = error as AwsError;
  const names = [name, code, Code].filter((word): word is string => typeof word === 'string');
  const trouble = TROUBLES.find(
    (kind) => names.some((word) => kind.names.test(word)) && (kind.text?.test(error.message) ?? true),
  );
  const said = trouble ? trouble.say(at, error) : refusal(error, at);
  return said === null ? null : new StageError(said, { cause: error });
}

/** What a service answered; null for an error that no service sent. */
function refusal(error: AwsError, { settings }: StageAddress): string | null {
  const { $fault, $metadata } = error;
  if ($metadata?.httpStatusCode === undefined) return null;
  const call = failedCall(error) ?? 'a call';
  const request = $metadata.requestId ? `, request ${$metadata.requestId}` : '';
  const said = `${call} in ${settings.region}: ${firstLine(error)} (${error.name}${request})`;
  if ($fault === 'server' || $metadata.httpStatusCode >= 500) {
    return `AWS failed at ${said}. Repeat in a minute; the AWS Health Dashboard shows what is disturbed.`;
  }
  return `AWS refused ${said}. Put right what it names and repeat.`;
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
