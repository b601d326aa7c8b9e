import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../../../functions/source/config.ts';

describe('the environment of the source function', () => {
  it('becomes its configuration, with project and tables of the registry', () => {
    const config = loadConfig({
      STAGE: 'dev',
      SOURCE_SECRET_ID: 'source',
      REPLICATION_SECRET_ID: 'replication',
    });
    expect(config).toMatchObject({
      deployment: { project: 'cdc_demo', stage: 'dev' },
      sourceSecretId: 'source',
      replicationSecretId: 'replication',
    });
    expect(config.tables.map(({ id }) => id)).toContain('public.orders');
  });

  it('is refused with every variable that is missing or wrong', () => {
    expect(() => loadConfig({ STAGE: '', SOURCE_SECRET_ID: 'source' })).toThrow(
      'The environment of source is wrong: STAGE is empty; REPLICATION_SECRET_ID is missing',
    );
  });
});
