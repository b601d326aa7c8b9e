import { describe, expect, it } from '@jest/globals';
import { alertMessage } from '../../../../functions/cdc/alert-message.ts';
import { verdictOf } from '../../../../functions/cdc/report.ts';
import { heldTable, soundReport, soundTable } from '../../../statemachines/spark-worker.ts';

const place = {
  project: 'cdc_demo',
  stage: 'dev',
  what: 'medallion' as const,
  runId: 'run-7',
  executionArn: 'arn:aws:states:us-east-1:123456789012:execution:medallion:run-7',
  bucket: 'lake',
};

const held = verdictOf(
  soundReport('run-7', 'silver', { tables: [soundTable('public.users'), heldTable('public.orders')] }),
);

describe('the alert', () => {
  it('says what failed, which table, which check, which value, and how to look further', () => {
    const { error, subject, message } = alertMessage(place, { silver_gate: held });
    expect(error).toBe('GateFailed');
    expect(subject).toBe('cdc_demo dev: The run went on to its end, but silver failed its gate');
    expect(message).toBe(
      [
        'The run went on to its end, but silver failed its gate.',
        '',
        'silver: 1 failure in silver; held back: public.orders',
        '  - public.orders: total_not_negative = 3, allowed 0',
        '  Held back: public.orders and the gold models that read them; the rest was published.',
        '',
        'While it stays the same, it is told again after 6 hours.',
        'To look further:',
        '  reports: s3://lake/reports/run-7/<layer>.json',
        '  history: aws stepfunctions get-execution-history --execution-arn arn:aws:states:us-east-1:123456789012:execution:medallion:run-7 --reverse-order',
        '  logs of a job: CloudWatch /aws-glue/jobs/error, the job run above; in the local twin logs/spark.log',
      ].join('\n'),
    );
  });

  it('takes the reason out of a failed job run', () => {
    const Cause = JSON.stringify({
      Id: 'jr_1',
      JobName: 'silver',
      JobRunState: 'FAILED',
      ErrorMessage: 'no memory',
    });
    const { error, message } = alertMessage(place, { error: { Error: 'States.TaskFailed', Cause } });
    expect(error).toBe('RunBroke');
    expect(message).toContain('Job: silver, run jr_1, FAILED\nError: States.TaskFailed\nReason: no memory');
  });

  it('takes the reason out of a function’s error, and any other as it is', () => {
    const Cause = JSON.stringify({ errorType: 'NoSuchBucket', errorMessage: 'no bucket', trace: ['at ...'] });
    expect(alertMessage(place, { error: { Error: 'NoSuchBucket', Cause } }).message).toContain(
      'Reason: no bucket',
    );
    expect(alertMessage(place, { error: { Error: 'X', Cause: '{no json' } }).message).toContain(
      'Reason: {no json',
    );
  });

  it('tells of a layer held back before a later one broke, too', () => {
    const error = { Error: 'States.Timeout', Cause: '' };
    const { message } = alertMessage(place, { silver_gate: held, error });
    expect(message).toContain('The run broke: States.Timeout');
    expect(message).toContain('public.orders: total_not_negative = 3');
  });

  it('gives a refused source the word that preflight gave', () => {
    const { error, message } = alertMessage(place, { preflight: { refuse: 'Raise epoch in tables.yml' } });
    expect(error).toBe('SourceChanged');
    expect(message).toContain('Raise epoch in tables.yml');
  });

  it('names the machine that went wrong, and reports only where there are any', () => {
    const error = { Error: 'DatabaseBusy', Cause: 'The database is backing-up for half an hour' };
    const guard = alertMessage({ ...place, what: 'cost-guard' }, { error });
    expect(guard.subject).toBe('cdc_demo dev: The cost guard broke: DatabaseBusy');
    expect(guard.message).not.toContain('reports:');
    const table = heldTable('cdc_demo_dev_silver_orders');
    const upkeep = verdictOf(soundReport('run-7', 'maintenance', { tables: [table] }));
    const maintenance = alertMessage({ ...place, what: 'maintenance' }, { maintenance_gate: upkeep });
    expect(maintenance.message).toContain('cdc_demo_dev_silver_orders: total_not_negative = 3');
    expect(maintenance.message).toContain('reports:');
  });

  it('keeps its subject within what SNS takes, and shows at most 20 failures of a layer', () => {
    const { subject } = alertMessage({ ...place, project: 'ü'.repeat(120) }, { silver_gate: held });
    expect(subject).toMatch(/^[ -~]{99}$/);
    const tables = Array.from({ length: 30 }, (_, n) => heldTable(`public.t${n}`));
    const many = verdictOf(soundReport('r', 'silver', { tables }));
    const { message } = alertMessage(place, { silver_gate: many });
    expect(message.match(/total_not_negative/g)).toHaveLength(20);
    expect(message).toContain('and 10 more');
  });
});
