import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  InvalidRequestException,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { runQuery } from '../../../../local/stage/athena.ts';
import { StageError } from '../../../../local/stage/errors.ts';
import { UsageError } from '../../../../local/usage-error.ts';

const athena = mockClient(AthenaClient);
const client = new AthenaClient({ region: 'us-east-1' });
const PLACE = { workGroup: 'cdc-demo-dev', database: 'cdc_demo_dev' };
const COLUMNS = ['id', 'total', 'active', 'note'];

function row(...values: (string | undefined)[]) {
  return { Data: values.map((value) => (value === undefined ? {} : { VarCharValue: value })) };
}

function page(rows: object[], token?: string) {
  const types = ['bigint', 'decimal', 'boolean', 'varchar'];
  return {
    ...(token ? { NextToken: token } : {}),
    ResultSet: {
      Rows: rows,
      ResultSetMetadata: { ColumnInfo: COLUMNS.map((Name, i) => ({ Name, Type: types[i] })) },
    },
  };
}

function ends(State: string, more: object = {}, StatementType = 'DML') {
  athena.on(GetQueryExecutionCommand).resolves({
    QueryExecution: { StatementType, Status: { State, ...more }, Statistics: { DataScannedInBytes: 1234 } },
  } as object);
}

function run(limit = 10, signal?: AbortSignal) {
  return runQuery(client, PLACE, 'SELECT 1', limit, { pollMs: 1, ...(signal ? { signal } : {}) });
}

beforeEach(() => {
  athena.reset();
  athena.on(StartQueryExecutionCommand).resolves({ QueryExecutionId: 'q1' });
});

describe('a query in Athena', () => {
  it('runs in the workgroup and the database of the stage', async () => {
    ends('SUCCEEDED');
    athena.on(GetQueryResultsCommand).resolves(page([row(...COLUMNS)]) as object);
    await run();
    expect(athena.commandCalls(StartQueryExecutionCommand)[0]?.args[0].input).toMatchObject({
      WorkGroup: 'cdc-demo-dev',
      QueryExecutionContext: { Database: 'cdc_demo_dev' },
    });
  });

  it('answers values as JSON has them, exact where a double would round, and what it scanned', async () => {
    ends('SUCCEEDED');
    const rows = [
      row(...COLUMNS),
      row('7', '1.50', 'true', undefined),
      row('9007199254740993', '2', 'false', ''),
    ];
    athena.on(GetQueryResultsCommand).resolves(page(rows) as object);
    expect(await run()).toEqual({
      columns: COLUMNS,
      rows: [
        [7, '1.50', true, null],
        ['9007199254740993', '2', false, ''],
      ],
      scannedBytes: 1234,
    });
  });

  it('takes page after page up to the limit, the header once', async () => {
    ends('SUCCEEDED');
    athena
      .on(GetQueryResultsCommand)
      .resolvesOnce(page([row(...COLUMNS), row('1', '1', 'true', 'a')], 'next') as object)
      .resolvesOnce(page([row('2', '1', 'true', 'a'), row('3', '1', 'true', 'a')], 'last') as object);
    const { rows } = await run(3);
    expect(rows.map(([id]) => id)).toEqual([1, 2, 3]);
    const asked = athena.commandCalls(GetQueryResultsCommand).map(({ args }) => args[0].input.MaxResults);
    expect(asked).toEqual([4, 2]);
  });

  it('has no header to drop in what SHOW answers', async () => {
    ends('SUCCEEDED', {}, 'DDL');
    athena.on(GetQueryResultsCommand).resolves(page([row('1', '1', 'true', 'a')]) as object);
    expect((await run()).rows).toHaveLength(1);
  });

  it('that is wrong is the user’s to put right', async () => {
    ends('FAILED', {
      StateChangeReason: "line 1:8: Column 'x' cannot be resolved",
      AthenaError: { ErrorCategory: 2 },
    });
    await expect(run()).rejects.toThrow(new UsageError("Athena: line 1:8: Column 'x' cannot be resolved"));
  });

  it('that Athena cannot run names the reason and the query', async () => {
    ends('FAILED', {
      StateChangeReason: 'Access denied when writing output',
      AthenaError: { ErrorCategory: 3 },
    });
    await expect(run()).rejects.toThrow(
      /could not run the query: Access denied when writing output \(query q1\)/,
    );
    await expect(run()).rejects.toBeInstanceOf(StageError);
  });

  it('that scanned more than the workgroup allows says so', async () => {
    ends('CANCELLED', { StateChangeReason: 'Bytes scanned limit was exceeded' });
    await expect(run()).rejects.toThrow(
      /cancelled the query: Bytes scanned limit was exceeded.*filter by a partition/,
    );
  });

  it('is cancelled when the user gives up, so that it bills no more', async () => {
    ends('RUNNING');
    athena.on(StopQueryExecutionCommand).resolves({});
    await expect(run(10, AbortSignal.timeout(20))).rejects.toThrow();
    expect(athena.commandCalls(StopQueryExecutionCommand)[0]?.args[0].input).toEqual({
      QueryExecutionId: 'q1',
    });
  });

  it('finds no workgroup before the stage is deployed', async () => {
    const message = 'WorkGroup is not found.';
    athena.on(StartQueryExecutionCommand).rejects(new InvalidRequestException({ message, $metadata: {} }));
    await expect(run()).rejects.toThrow('Athena has no workgroup cdc-demo-dev');
  });
});
