import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../../../functions/connector/config.ts';

const environment = {
  STAGE: 'dev',
  CONNECT_URL: 'http://connect:8083',
  SOURCE_SECRET_ID: 'source',
  REPLICATION_SECRET_ID: 'replication',
  UNAVAILABLE_PLACEHOLDER_SECRET_ARN: 'placeholder',
};

describe('the environment of the connector function', () => {
  it('gives the registry of the package and the stage', () => {
    const config = loadConfig(environment);
    expect(config.deployment).toEqual({ project: 'cdc_demo', stage: 'dev' });
    expect(config.registry.tables.map(({ id }) => id)).toContain('public.orders');
  });

  it('names everything that is missing or wrong at once', () => {
    const wrong = { ...environment, CONNECT_URL: 'connect:8083', SOURCE_SECRET_ID: '', STAGE: undefined };
    const load = () => loadConfig(wrong as NodeJS.ProcessEnv);
    expect(load).toThrow(/STAGE is missing/);
    expect(load).toThrow(/CONNECT_URL must begin with http/);
    expect(load).toThrow(/SOURCE_SECRET_ID is empty/);
  });
});
