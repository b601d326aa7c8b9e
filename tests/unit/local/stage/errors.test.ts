import { describe, expect, it } from '@jest/globals';
import { explainAwsError, StageError } from '../../../../local/stage/errors.ts';

const AT = { stage: 'dev', settings: { region: 'eu-central-1' } };

function awsError(name: string, message: string, more: object = {}): Error {
  return Object.assign(new Error(message), { name, ...more });
}

describe('trouble with AWS in one sentence', () => {
  it.each([
    [
      awsError('CredentialsProviderError', 'Could not load credentials from any providers'),
      /no AWS credentials.*aws configure/,
    ],
    [
      awsError('CredentialsProviderError', 'The SSO session associated with this profile has expired.'),
      /session has expired.*aws sso login/,
    ],
    [
      awsError('ExpiredTokenException', 'The security token included in the request is expired'),
      /have expired\. Log in again/,
    ],
    [awsError('ExpiredToken', 'The provided token has expired.'), /have expired\. Log in again/],
    [
      awsError('InvalidClientTokenId', 'The security token included in the request is invalid.'),
      /does not accept these credentials/,
    ],
    [
      awsError('UnrecognizedClientException', 'The security token included in the request is invalid.'),
      /does not accept these credentials/,
    ],
    [
      awsError(
        'AccessDeniedException',
        'User: arn:aws:iam::1:user/ada is not authorized to perform: states:StartExecution',
      ),
      /may not do that on stage dev: User: arn.*states:StartExecution\. Ask for the right/,
    ],
    [awsError('ThrottlingException', 'Rate exceeded'), /fewer requests \(Rate exceeded\)/],
    [
      awsError('Error', 'getaddrinfo ENOTFOUND sts.moon.amazonaws.com', { code: 'ENOTFOUND' }),
      /no address for eu-central-1/,
    ],
    [awsError('TimeoutError', 'connect timed out'), /AWS in eu-central-1 can't be reached/],
    [
      awsError('OptInRequired', 'You are not subscribed to this service'),
      /not switched this on in eu-central-1/,
    ],
  ])('%s', (error, sentence) => {
    const explained = explainAwsError(error, AT);
    expect(explained).toBeInstanceOf(StageError);
    expect(explained?.message).toMatch(sentence);
    expect(explained?.message).not.toContain('\n');
    expect(explained?.cause).toBe(error);
  });

  it('is left alone when it is none of these: a defect needs its stack', () => {
    expect(explainAwsError(new TypeError('x is undefined'), AT)).toBeNull();
    expect(explainAwsError('text', AT)).toBeNull();
  });
});
