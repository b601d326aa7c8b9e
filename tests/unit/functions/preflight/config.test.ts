import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../../../functions/preflight/config.ts';

const environment = {
  STAGE: 'dev',
  LANDING_BUCKET: 'landing',
  CONNECT_URL: 'http://connect:8083',
  SOURCE_SECRET_ID: 'source',
  REPLICATION_SECRET_ID: 'replication',
};

describe('the environment of preflight', () => {
  it('becomes its configuration, with project, epoch and tables of the registry and nothing else', () => {
    expect(loadConfig({ ...environment, PROJECT: 'other', CDC_EPOCH: '7' })).toEqual({
      project: 'cdc_demo',
      stage: 'dev',
      epoch: 1,
      bucket: 'landing',
      tables: ['public.users', 'public.products', 'public.orders'],
      lookBackMs: 26 * 60 * 60 * 1000,
      connectUrl: 'http://connect:8083',
      source: {
        address: { host: undefined, port: undefined, database: undefined, sslmode: undefined },
        secrets: { sourceSecretId: 'source', replicationSecretId: 'replication' },
      },
      slotLagBudget: 1024n ** 3n,
    });
  });

  it('is refused with every variable that is missing or wrong', () => {
    const wrong = { ...environment, STAGE: '', SLOT_LAG_BUDGET_BYTES: '-1' };
    expect(() => loadConfig(wrong)).toThrow(
      'The environment of preflight is wrong: STAGE is empty; SLOT_LAG_BUDGET_BYTES must be a whole number from 1',
    );
  });

  it.each([
    ['both ways to the source', { SOURCE_URL: 'postgresql://u@db/shop' }],
    ['no way to the source', { SOURCE_SECRET_ID: undefined }],
    ['half a way to the source', { REPLICATION_SECRET_ID: '' }],
  ])('must not give %s', (_what, difference) => {
    expect(() => loadConfig({ ...environment, ...difference })).toThrow(
      'set either SOURCE_URL or SOURCE_SECRET_ID',
    );
  });
});
