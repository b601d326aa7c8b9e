import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  BatchStopJobRunCommand,
  GetJobCommand,
  GetJobRunCommand,
  GetJobRunsCommand,
  GlueClient,
  StartJobRunCommand,
} from '@aws-sdk/client-glue';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { PlannedWorker } from '../../../statemachines/spark-worker.ts';
import { type Alone, startAlone } from './endpoint-only.ts';

const JobName = 'job';

let alone: Alone;
let worker: PlannedWorker;
let glue: GlueClient;
let port: number;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cdc-glue-'));
  worker = new PlannedWorker(folder);
  const url = await worker.listen();
  port = Number(new URL(url).port);
  alone = await startAlone(url);
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  glue = new GlueClient({ endpoint: alone.endpoint.url, region: 'us-east-1', credentials, maxAttempts: 1 });
});

afterAll(async () => {
  await alone?.close();
  await worker.crash();
  rmSync(folder, { recursive: true });
});

beforeEach(() => worker.clear());

const start = async (args: Record<string, string> = {}) =>
  (await glue.send(new StartJobRunCommand({ JobName, Arguments: args }))).JobRunId as string;

const runOf = async (RunId: string) => (await glue.send(new GetJobRunCommand({ JobName, RunId }))).JobRun;

describe('Glue’s job runs', () => {
  it('bring the job’s default arguments, their own before them, and none that only Glue reads', async () => {
    await start({
      '--layer': 'silver',
      '--run_id': 'r',
      '--extra-py-files': 's3://x',
      '--scriptLocation': 's3://y',
    });
    expect(worker.runs[0]?.args).toEqual({ '--layer': 'silver', '--run_id': 'r' });
  });

  it('end as the worker’s do, with its error', async () => {
    worker.plan('bronze', { end: 'FAILED', error: 'no memory' }, { end: 'SUCCEEDED' });
    expect(await runOf(await start())).toMatchObject({ JobRunState: 'FAILED', ErrorMessage: 'no memory' });
    const run = await runOf(await start());
    expect(run).toMatchObject({ JobRunState: 'SUCCEEDED', CompletedOn: expect.any(Date) });
    expect(run).not.toHaveProperty('ErrorMessage');
  });

  it('are one at a time, are listed newest first, and can be stopped', async () => {
    worker.plan('bronze', { end: 'never' });
    const id = await start({ '--run_id': 'r1' });
    await expect(start()).rejects.toMatchObject({ name: 'ConcurrentRunsExceededException' });
    const { JobRuns } = await glue.send(new GetJobRunsCommand({ JobName, MaxResults: 1 }));
    expect(JobRuns?.map(({ Id, JobRunState }) => [Id, JobRunState])).toEqual([[id, 'RUNNING']]);
    const stopped = await glue.send(new BatchStopJobRunCommand({ JobName, JobRunIds: [id, 'jr_unknown'] }));
    expect(stopped.SuccessfulSubmissions).toEqual([{ JobName, JobRunId: id }]);
    expect(stopped.Errors?.map(({ JobRunId }) => JobRunId)).toEqual(['jr_unknown']);
    expect((await runOf(id))?.JobRunState).toBe('STOPPED');
    await start();
  });

  it('that another process of the endpoint started are known to this one', async () => {
    worker.plan('bronze', { end: 'never' });
    const before = await startAlone(`http://127.0.0.1:${port}`);
    const other = new GlueClient({
      endpoint: before.endpoint.url,
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
    const { JobRunId } = await other.send(
      new StartJobRunCommand({ JobName, Arguments: { '--run_id': 'r1' } }),
    );
    await before.close();
    const { JobRuns } = await glue.send(new GetJobRunsCommand({ JobName }));
    expect(JobRuns?.[0]).toMatchObject({
      Id: JobRunId,
      JobRunState: 'RUNNING',
      Arguments: { '--run_id': 'r1' },
    });
    worker.finish('job');
    expect((await runOf(JobRunId ?? ''))?.JobRunState).toBe('SUCCEEDED');
  });

  it('have failed when the worker came back without them, or did not come back', async () => {
    for (const comesBack of [true, false]) {
      worker.plan('bronze', { end: 'never' });
      const id = await start();
      await worker.crash();
      if (comesBack) await worker.listen(port);
      const run = await runOf(id);
      expect(run?.JobRunState).toBe('FAILED');
      expect(run?.ErrorMessage).toMatch(
        comesBack ? /was restarted while run/ : /does not answer \(ECONN\w+\)/,
      );
    }
    await expect(start()).rejects.toMatchObject({ name: 'InternalServiceException' });
    await worker.listen(port);
  });

  it('of no job that the twin has are refused by name', async () => {
    const other = new StartJobRunCommand({ JobName: 'other' });
    await expect(glue.send(other)).rejects.toMatchObject({ name: 'EntityNotFoundException' });
    await expect(runOf('jr_unknown')).rejects.toMatchObject({ name: 'EntityNotFoundException' });
    const { Job } = await glue.send(new GetJobCommand({ JobName }));
    expect(Job).toMatchObject({ Name: JobName, ExecutionProperty: { MaxConcurrentRuns: 1 } });
  });
});
