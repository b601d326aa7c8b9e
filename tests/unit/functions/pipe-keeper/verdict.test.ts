import { describe, expect, it } from '@jest/globals';
import { type StoppedPipe, verdictOn } from '../../../../functions/pipe-keeper/verdict.ts';

const now = new Date('2026-01-31T12:00:00Z');
const anHourAgo = new Date('2026-01-31T11:00:00Z');

function pipe(change: Partial<StoppedPipe> = {}): StoppedPipe {
  const disabled = 'PROBLEM: the enrichment answered TooManyRequestsException; the pipe was disabled';
  return {
    name: 'p',
    state: 'STOPPED',
    desired: 'RUNNING',
    reason: disabled,
    changedAt: anHourAgo,
    ...change,
  };
}

describe('what becomes of a pipe that does not run', () => {
  it('is started when errors stopped it and their cause is gone', () => {
    expect(verdictOn(pipe(), null, now)).toEqual({
      what: 'start',
      why: expect.stringContaining(
        'it was STOPPED: PROBLEM: the enrichment answered TooManyRequestsException',
      ),
    });
    expect(verdictOn(pipe({ state: 'START_FAILED' }), null, now).what).toBe('start');
    expect(verdictOn(pipe({ changedAt: undefined }), null, now).what).toBe('start');
    expect(verdictOn(pipe({ reason: '' }), null, now).what).toBe('start');
    // EventBridge may note a disabled pipe as one that shall be stopped; its reason tells.
    expect(verdictOn(pipe({ desired: 'STOPPED' }), null, now).what).toBe('start');
  });

  it('waits for its cause', () => {
    expect(verdictOn(pipe(), 'the delivery stream s is CREATING', now)).toEqual({
      what: 'blocked',
      why: 'the delivery stream s is CREATING; it is started again when that is mended',
    });
  });

  it('rests for ten minutes between two starts', () => {
    const changed = (minutes: number) => new Date(now.getTime() - minutes * 60_000);
    expect(verdictOn(pipe({ changedAt: changed(9) }), null, now).what).toBe('resting');
    expect(verdictOn(pipe({ changedAt: changed(10) }), null, now).what).toBe('start');
  });

  it.each(['', 'User initiated', 'USER_INITIATED', 'Stopped by user'])(
    'stays stopped when somebody wants it so (%j)',
    (reason) => {
      expect(verdictOn(pipe({ desired: 'STOPPED', reason }), null, now).what).toBe('paused');
    },
  );

  it("doesn't take a refusal of IAM for somebody's wish", () => {
    const reason =
      'User: arn:aws:sts::123456789012:assumed-role/pipes/p is not authorized to perform: kafka:DescribeClusterV2';
    expect(verdictOn(pipe({ desired: 'STOPPED', reason }), null, now).what).toBe('start');
  });

  it.each(['STARTING', 'UPDATING', 'STOPPING', 'DELETING'])('is left alone while it is %s', (state) => {
    expect(verdictOn(pipe({ state }), null, now).what).toBe('moving');
  });

  it.each(['CREATE_FAILED', 'UPDATE_FAILED'])('needs a deployment when it is %s', (state) => {
    expect(verdictOn(pipe({ state }), null, now)).toMatchObject({
      what: 'broken',
      why: expect.stringContaining('deploy the stack again'),
    });
  });
});
