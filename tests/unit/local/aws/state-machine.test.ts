import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadStateMachine, type TimeScale } from '../../../../local/aws/state-machine.ts';

const MACHINE = `
StartAt: Job
States:
  Job:
    Type: Task
    Resource: arn:aws:states:::glue:startJobRun.sync
    Parameters: {JobName: '\${JobName}', Arguments: {--seconds: 120}}
    TimeoutSeconds: 7200
    Retry: &retry
      - {ErrorEquals: [A], IntervalSeconds: 15, MaxDelaySeconds: 120, MaxAttempts: 6, BackoffRate: 2}
    Next: Pause
  Pause: {Type: Wait, Seconds: 90, Next: Again}
  Again: {Type: Task, Resource: '\${JobName}', TimeoutSeconds: 60, Retry: *retry, End: true}
`;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cdc-asl-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

function load(text: string, substitutions: Record<string, string>, scale?: TimeScale) {
  const file = join(folder, 'machine.asl.yml');
  writeFileSync(file, text);
  return JSON.parse(loadStateMachine(file, substitutions, scale));
}

describe('the loader of state machines', () => {
  it('puts substitutions in as text, whatever characters they hold', () => {
    const name = 'a "quoted" \\ name';
    const { States } = load(MACHINE, { JobName: name });
    expect(States.Job.Parameters.JobName).toBe(name);
    expect(States.Again.Resource).toBe(name);
  });

  it('changes nothing else', () => {
    const { States } = load(MACHINE, { JobName: 'x' });
    expect(States.Job).toMatchObject({
      TimeoutSeconds: 7200,
      Parameters: { Arguments: { '--seconds': 120 } },
    });
    expect(States.Again.Retry).toEqual(States.Job.Retry);
  });

  it('divides intervals, rounds up, and leaves timeouts, attempts, rates and arguments alone', () => {
    const { States } = load(MACHINE, { JobName: 'x' }, { intervals: 60 });
    expect(States.Job.TimeoutSeconds).toBe(7200);
    expect(States.Job.Retry[0]).toEqual({
      ErrorEquals: ['A'],
      IntervalSeconds: 1,
      MaxDelaySeconds: 2,
      MaxAttempts: 6,
      BackoffRate: 2,
    });
    expect(States.Pause.Seconds).toBe(2);
    expect(States.Job.Parameters.Arguments['--seconds']).toBe(120);
  });

  it('refuses a null, and names its place', () => {
    const text = MACHINE.replace('TimeoutSeconds: 60', 'ResultPath: null');
    expect(() => load(text, { JobName: 'x' })).toThrow(/null at \$\.States\.Again\.ResultPath/);
  });

  it('refuses substitutions that don’t fit', () => {
    expect(() => load(MACHINE, {})).toThrow('machine.asl.yml uses JobName, which no substitution gives');
    expect(() => load(MACHINE, { JobName: 'x', Other: 'y' })).toThrow(
      "machine.asl.yml doesn't use the substitutions Other",
    );
  });
});
