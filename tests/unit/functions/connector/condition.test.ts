import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { conditionOf, rootCause } from '../../../../functions/connector/condition.ts';
import type { ConnectorOffsets, ConnectorStatus } from '../../../../functions/connector/connect-api.ts';

type Recorded = { status: ConnectorStatus; offsets: ConnectorOffsets };

/** Answers of Kafka Connect 3.9.2 with Debezium 3.7.0 during a start, and of a connector without its publication. */
const recorded = JSON.parse(readFileSync('tests/fixtures/connect/conditions.json', 'utf8')) as Record<
  'starting' | 'snapshot' | 'streaming' | 'failed',
  Recorded
>;

const condition = ({ status, offsets }: Recorded) => conditionOf(status, offsets);

describe('the condition of a connector', () => {
  it('is absent when Connect knows no such connector', () => {
    expect(conditionOf(null, null)).toEqual({ state: 'absent', snapshot: 'pending', error: null });
  });

  it('is starting while it has no task, although the connector itself runs', () => {
    expect(condition(recorded.starting)).toEqual({ state: 'starting', snapshot: 'pending', error: null });
  });

  it('says that the snapshot runs while its committed offset is one of the snapshot', () => {
    expect(condition(recorded.snapshot)).toEqual({ state: 'running', snapshot: 'running', error: null });
  });

  it('says that the snapshot is complete once an offset of streaming is committed', () => {
    expect(condition(recorded.streaming)).toEqual({ state: 'running', snapshot: 'complete', error: null });
  });

  it('takes the last offset of the snapshot for complete', () => {
    const [first] = recorded.snapshot.offsets.offsets;
    const last = { ...first, partition: {}, offset: { ...first?.offset, snapshot_completed: true } };
    expect(conditionOf(recorded.snapshot.status, { offsets: [last] }).snapshot).toBe('complete');
  });

  it('is failed when only the task has failed, in the words of Debezium', () => {
    expect(condition(recorded.failed)).toEqual({
      state: 'failed',
      snapshot: 'pending',
      error:
        'ConnectException: Publication autocreation is disabled, please create one and restart the connector.',
    });
  });

  it('is stopped while it is paused', () => {
    const { status, offsets } = recorded.streaming;
    const paused = { ...status, connector: { ...status.connector, state: 'PAUSED' as const } };
    expect(conditionOf(paused, offsets).state).toBe('stopped');
  });
});

describe('the cause in a Java stack trace', () => {
  it('keeps every message once and no frames', () => {
    const trace = [
      'org.apache.kafka.connect.errors.ConnectException: An exception occurred in the change event producer.',
      '\tat io.debezium.pipeline.ErrorHandler.setProducerThrowable(ErrorHandler.java:85)',
      'Caused by: io.debezium.DebeziumException: org.postgresql.util.PSQLException: no slot',
      '\t... 5 more',
      'Caused by: org.postgresql.util.PSQLException: no slot',
    ].join('\n');
    expect(rootCause(trace)).toBe(
      'ConnectException: An exception occurred in the change event producer. <- PSQLException: no slot',
    );
  });
});
