import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../../../functions/enrich/config.ts';

const environment = {
  STAGE: 'dev',
  KAFKA_CLUSTER_ID: 'cluster-1',
  LANDING_BUCKET: 'landing',
  UNAVAILABLE_PLACEHOLDER: 'token',
};

describe('the environment of enrich', () => {
  it('becomes its configuration, with project, epoch and tables of the registry', () => {
    expect(loadConfig(environment)).toEqual({
      project: 'cdc_demo',
      stage: 'dev',
      epoch: 1,
      cluster: 'cluster-1',
      landingBucket: 'landing',
      responseBytes: 3_000_000,
      tables: new Set(['public.users', 'public.products', 'public.orders']),
      placeholder: { value: 'token' },
    });
  });

  it('takes project and epoch from nowhere else', () => {
    const { project, epoch } = loadConfig({ ...environment, PROJECT: 'other', CDC_EPOCH: '7' });
    expect({ project, epoch }).toEqual({ project: 'cdc_demo', epoch: 1 });
  });

  it('may name the secret of the placeholder instead of the placeholder', () => {
    const secret = {
      ...environment,
      UNAVAILABLE_PLACEHOLDER: '',
      UNAVAILABLE_PLACEHOLDER_SECRET_ARN: 'arn:secret',
    };
    expect(loadConfig(secret).placeholder).toEqual({ secretArn: 'arn:secret' });
  });

  it.each([
    ['both ways to the placeholder', { UNAVAILABLE_PLACEHOLDER_SECRET_ARN: 'arn:secret' }],
    ['no way to the placeholder', { UNAVAILABLE_PLACEHOLDER: undefined }],
  ])('must not give %s', (_what, difference) => {
    expect(() => loadConfig({ ...environment, ...difference })).toThrow(
      'set either UNAVAILABLE_PLACEHOLDER or',
    );
  });

  it('is refused with every variable that is missing or wrong', () => {
    const { KAFKA_CLUSTER_ID: _missing, ...rest } = { ...environment, STAGE: '', LANDING_BUCKET: '' };
    expect(() => loadConfig(rest)).toThrow(
      'STAGE is empty; KAFKA_CLUSTER_ID is missing; LANDING_BUCKET is empty',
    );
  });

  it('takes fewer bytes a response where a stream takes fewer, but room for one pack', () => {
    expect(loadConfig({ ...environment, RESPONSE_BYTES: '996147' }).responseBytes).toBe(996_147);
    expect(() => loadConfig({ ...environment, RESPONSE_BYTES: '900000' })).toThrow(
      'RESPONSE_BYTES must hold a pack of 900000 bytes',
    );
  });

  it('says where the registry was looked for', () => {
    expect(() => loadConfig({ ...environment, TABLES_FILE: 'nowhere/tables.yml' })).toThrow(
      'nowhere/tables.yml',
    );
  });
});
