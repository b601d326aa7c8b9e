import { describe, expect, it } from '@jest/globals';
import { routeOf } from '../../../../local/aws/endpoint.ts';

const signed = (service: string) => ({
  authorization: `AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host`,
});
const routed = (service: string, url: string) => routeOf({ url, headers: signed(service) }, () => false).to;

describe('who answers a request', () => {
  it.each([
    '/bucket?versioning',
    '/bucket/?encryption',
    '/bucket?lifecycle',
    '/bucket?publicAccessBlock',
    '/bucket?x-id=GetBucketPolicy&policy',
    '/bucket?tagging=',
  ])('moto keeps how a bucket is set up: %s', (url) => {
    expect(routed('s3', url)).toBe('moto');
  });

  it.each([
    '/',
    '/bucket',
    '/bucket?list-type=2&prefix=policy',
    '/bucket?versions&prefix=a/',
    '/bucket?delete',
    '/bucket/policy?x-id=GetObject',
    '/bucket/a?versioning',
  ])('the folder has buckets and objects: %s', (url) => {
    expect(routed('s3', url)).toBe('s3');
  });

  it('goes by the service in the signature', () => {
    expect(routed('lambda', '/2015-03-31/functions')).toBe('lambda');
    expect(routed('kafka', '/v1/clusters')).toBe('kafka');
    expect(routed('sqs', '/')).toBe('moto');
  });
});
