import { setTimeout as delay } from 'node:timers/promises';
import {
  type AthenaClient,
  type ColumnInfo,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  type QueryExecution,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import { UsageError } from '../usage-error.ts';
import type { QueryResult } from '../world.ts';
import { StageError } from './errors.ts';

const LOOK_EVERY_MS = 500;
/** https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html */
const PAGE_ROWS = 1000;
/** `AthenaError.ErrorCategory` of what the user wrote: https://docs.aws.amazon.com/athena/latest/APIReference/API_AthenaError.html */
const USER_ERROR = 2;

/** Where a query runs. */
export type AthenaPlace = { workGroup: string; database: string };

/**
 * Runs one statement in the stage's workgroup and waits for its end. The signal cancels it, so that it bills no more.
 * @param limit rows to fetch at the most
 * @throws UsageError with Athena's words when the statement is wrong; StageError when Athena or the workgroup refuses
 */
export async function runQuery(
  athena: AthenaClient,
  { workGroup, database }: AthenaPlace,
  sql: string,
  limit: number,
  { signal, pollMs = LOOK_EVERY_MS }: { signal?: AbortSignal; pollMs?: number } = {},
): Promise<QueryResult> {
  const { QueryExecutionId: id } = await athena
    .send(
      new StartQueryExecutionCommand({
        QueryString: sql,
        WorkGroup: workGroup,
        QueryExecutionContext: { Database: database, Catalog: 'AwsDataCatalog' },
      }),
    )
    .catch((error: unknown) => {
      throw refusal(error, workGroup);
    });
  if (!id) throw new StageError(`Athena took the query without an id; look at the workgroup ${workGroup}.`);
  const ended = await untilEnded(athena, id, pollMs, signal);
  const scannedBytes = ended.Statistics?.DataScannedInBytes ?? 0;
  return { ...(await results(athena, id, ended, limit)), scannedBytes };
}

function refusal(error: unknown, workGroup: string): unknown {
  if (!(error instanceof Error) || error.name !== 'InvalidRequestException') return error;
  if (/workgroup/i.test(error.message)) {
    return new StageError(
      `Athena has no workgroup ${workGroup} to run this in (${error.message}). Deploy the stage first.`,
      { cause: error },
    );
  }
  return new UsageError(error.message, { cause: error });
}

async function untilEnded(
  athena: AthenaClient,
  id: string,
  pollMs: number,
  signal: AbortSignal | undefined,
): Promise<QueryExecution> {
  for (;;) {
    const { QueryExecution: execution } = await athena.send(
      new GetQueryExecutionCommand({ QueryExecutionId: id }),
    );
    const state = execution?.Status?.State;
    if (execution && state === 'SUCCEEDED') return execution;
    if (execution && (state === 'FAILED' || state === 'CANCELLED')) throw failure(execution, id);
    try {
      await delay(pollMs, undefined, signal ? { signal } : {});
    } catch (interrupted) {
      await athena.send(new StopQueryExecutionCommand({ QueryExecutionId: id }));
      throw interrupted;
    }
  }
}

function failure({ Status: status }: QueryExecution, id: string): Error {
  const reason = status?.AthenaError?.ErrorMessage ?? status?.StateChangeReason ?? 'no reason given';
  if (status?.State === 'CANCELLED') {
    return new StageError(
      `Athena cancelled the query: ${reason}. A query that scans more than the workgroup allows is cancelled; filter by a partition or name fewer columns (query ${id}).`,
    );
  }
  if (
    status?.AthenaError?.ErrorCategory === USER_ERROR ||
    /SYNTAX_ERROR|line \d+:\d+|_NOT_FOUND/.test(reason)
  ) {
    return new UsageError(`Athena: ${reason}`);
  }
  return new StageError(`Athena could not run the query: ${reason} (query ${id}).`);
}

async function results(
  athena: AthenaClient,
  id: string,
  { StatementType }: QueryExecution,
  limit: number,
): Promise<Omit<QueryResult, 'scannedBytes'>> {
  // A SELECT's first row holds the column names; SHOW, DESCRIBE and the like have none.
  let header = StatementType === 'DML' ? 1 : 0;
  let columns: ColumnInfo[] = [];
  const rows: unknown[][] = [];
  let token: string | undefined;
  do {
    const page = await athena.send(
      new GetQueryResultsCommand({
        QueryExecutionId: id,
        MaxResults: Math.min(PAGE_ROWS, limit - rows.length + header),
        ...(token ? { NextToken: token } : {}),
      }),
    );
    columns = page.ResultSet?.ResultSetMetadata?.ColumnInfo ?? columns;
    const texts = (page.ResultSet?.Rows ?? []).slice(header);
    for (const { Data } of texts) {
      rows.push(columns.map(({ Type }, i) => cellValue(Data?.[i]?.VarCharValue, Type ?? 'varchar')));
    }
    header = 0;
    token = page.NextToken;
  } while (token && rows.length < limit);
  return { columns: columns.map(({ Name }) => Name ?? ''), rows: rows.slice(0, limit) };
}

/** Athena answers texts: numbers that a double holds become numbers, as in the twin; everything longer stays text. */
function cellValue(text: string | undefined, type: string): unknown {
  if (text === undefined) return null;
  if (type === 'boolean') return text === 'true';
  if (/^(tinyint|smallint|integer|bigint)$/.test(type) && Number.isSafeInteger(Number(text)))
    return Number(text);
  if (/^(double|float|real)$/.test(type) && Number.isFinite(Number(text))) return Number(text);
  return text;
}
