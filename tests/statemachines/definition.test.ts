import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { substitutionsOf } from '../../local/aws/platform.ts';
import { loadStateMachine, substitutionsIn } from '../../local/aws/state-machine.ts';
import { type Definition, problemsOf } from './asl-rules.ts';
import { costGuardSubstitutions } from './cost-guard-stage.ts';

const FOLDER = fileURLToPath(new URL('../../statemachines/', import.meta.url));
const deployment = { project: 'cdc_demo', stage: 'dev', assets: 's3://bucket/assets/0123' };
const ALERTS = 'arn:aws:sns:us-east-1:123456789012:cdc-demo-dev-alerts';
const substitutions: Record<string, Record<string, string>> = {
  ...Object.fromEntries(
    Object.entries(substitutionsOf(deployment, ALERTS)).map(([name, given]) => [`${name}.asl.yml`, given]),
  ),
  'cost-guard.asl.yml': costGuardSubstitutions(deployment, ALERTS, 'own'),
};

function load(file: string): Definition {
  return JSON.parse(loadStateMachine(FOLDER + file, substitutions[file] ?? {})) as Definition;
}

describe.each(readdirSync(FOLDER))('%s', (file) => {
  it('has no problem, and nothing is left to substitute', () => {
    const definition = load(file);
    expect(problemsOf(definition)).toEqual([]);
    expect(substitutionsIn(JSON.stringify(definition))).toEqual([]);
  });
});

/** The ends of each machine that hold no lock. */
const LOCKLESS: Record<string, string[][]> = {
  medallion: [['AcquireLock', 'LockTaken', 'AlreadyRunning']],
  maintenance: [['AcquireLock', 'LockTaken', 'NeverFree']],
  backfill: [['AcquireLock', 'LockTaken', 'AlreadyRunning']],
  'cost-guard': [['AcquireLock', 'LockTaken', 'AlreadyAtWork']],
};

describe.each(Object.keys(LOCKLESS))('the machine %s', (machine) => {
  it('gives the lock back on every way on which it may have been taken', () => {
    const { States } = load(`${machine}.asl.yml`);
    const keepsLock = (name: string, seen: string[] = []): string[][] => {
      const state = States[name];
      if (!state || seen.includes(name) || name.startsWith('ReleaseLock')) return [];
      if (state.End || state.Type === 'Fail') return [[...seen, name]];
      const next = [
        state.Next,
        state.Default,
        ...(state.Choices ?? []).map(({ Next }) => Next),
        ...(state.Catch ?? []).map(({ Next }) => Next),
      ];
      return next.flatMap((to) => (to === undefined ? [] : keepsLock(to, [...seen, name])));
    };
    expect(keepsLock('AcquireLock')).toEqual(LOCKLESS[machine]);
  });
});

describe.each(['medallion', 'maintenance'])('the machine %s', (machine) => {
  it('waits for a job that outlives its task before it gives up releasing, at the good end as at the bad one', () => {
    const { States } = load(`${machine}.asl.yml`);
    for (const name of ['ReleaseLock', 'ReleaseLockAfterFailure']) {
      expect(States[name]?.Retry).toContainEqual(
        expect.objectContaining({ ErrorEquals: ['JobStillRunning'], MaxAttempts: 6 }),
      );
    }
    expect(States['ReleaseLock']?.Retry).toEqual(States['ReleaseLockAfterFailure']?.Retry);
  });
});

/** What neither Step Functions nor asl-validator may let through. */
const mistakes: Record<string, (definition: Definition) => void> = {
  'a Next to a missing state': ({ States }) => Object.assign(States['Silver'] ?? {}, { Next: 'Golden' }),
  'a Catch to a missing state': ({ States }) => {
    const [caught] = States['Silver']?.Catch ?? [];
    Object.assign(caught ?? {}, { Next: 'Alrt' });
  },
  'a state that nothing leads to': ({ States }) => Object.assign(States, { Orphan: { Type: 'Succeed' } }),
  'a misspelt .sync': ({ States }) =>
    Object.assign(States['Silver'] ?? {}, { Resource: 'arn:aws:states:::glue:startJobRun.snyc' }),
  'a misspelt action': ({ States }) =>
    Object.assign(States['Silver'] ?? {}, { Resource: 'arn:aws:states:::glue:startJobRn.sync' }),
  'a job without a name': ({ States }) =>
    Object.assign(States['Silver'] ?? {}, { Parameters: { Arguments: {} } }),
  'a backoff below 1': ({ States }) => {
    const [retry] = States['Silver']?.Retry ?? [];
    Object.assign(retry ?? {}, { BackoffRate: 0.5 });
  },
  'no jitter': ({ States }) => {
    const [retry] = States['Silver']?.Retry ?? [];
    Object.assign(retry ?? {}, { JitterStrategy: 'NONE' });
  },
  'no timeout': ({ States }) => delete States['Silver']?.TimeoutSeconds,
  'no catch': ({ States }) => delete States['Silver']?.Catch,
  'a result that replaces the state': ({ States }) => delete States['Silver']?.ResultPath,
  'a choice without default': ({ States }) => delete States['SilverVerdict']?.Default,
  'an unknown field': ({ States }) => Object.assign(States['Silver'] ?? {}, { ResultPth: '$.x' }),
  'a bad path': ({ States }) => Object.assign(States['Silver'] ?? {}, { ResultPath: 'silver' }),
  'no way on': ({ States }) => delete States['Silver']?.Next,
  'plain text where a path is due': ({ States }) =>
    Object.assign(States['Alert'] ?? {}, {
      Parameters: { TopicArn: 'arn', Subject: 's', 'Message.$': 'plain text' },
    }),
};

/** The same, within a Map. */
const mistakesInMap: Record<string, (map: Definition) => void> = {
  'a state that nothing leads to': ({ States }) => Object.assign(States, { Orphan: { Type: 'Succeed' } }),
  'no timeout': ({ States }) => delete States['DisableSchedule']?.TimeoutSeconds,
  'no retry': ({ States }) => delete States['DisableSchedule']?.Retry,
  'a parameter left out that the call would then lose': ({ States }) =>
    delete States['DisableSchedule']?.Parameters?.['KmsKeyArn.$'],
  'a name that another state of the machine has': ({ States }) =>
    Object.assign(States, { StopPipe: States['ReadSchedule'] }),
  'a misspelt action': ({ States }) =>
    Object.assign(States['DisableSchedule'] ?? {}, {
      Resource: 'arn:aws:states:::aws-sdk:scheduler:putSchedule',
    }),
};

describe('the rules', () => {
  it.each(Object.keys(mistakes))('find %s', (mistake) => {
    const definition = load('medallion.asl.yml');
    mistakes[mistake]?.(definition);
    expect(problemsOf(definition)).not.toEqual([]);
  });

  it.each(Object.keys(mistakesInMap))('find in a Map %s', (mistake) => {
    const definition = load('cost-guard.asl.yml');
    mistakesInMap[mistake]?.(definition.States['DisableSchedules']?.ItemProcessor as Definition);
    expect(problemsOf(definition)).not.toEqual([]);
  });

  it('find a Map that catches nothing, and one that does nothing', () => {
    for (const field of ['Catch', 'ItemProcessor', 'ItemsPath', 'ResultPath'] as const) {
      const definition = load('cost-guard.asl.yml');
      delete definition.States['StopPipes']?.[field];
      expect(problemsOf(definition)).not.toEqual([]);
    }
  });
});
