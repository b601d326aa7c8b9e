import {
  BatchStopJobRunCommand,
  GetJobRunsCommand,
  type GlueClient,
  type JobRunState,
} from '@aws-sdk/client-glue';
import { DescribeExecutionCommand, ExecutionDoesNotExist, type SFNClient } from '@aws-sdk/client-sfn';

/** A job run that is on. */
export type RunningJob = { job: string; id: string };

/** States of a Glue job run that can still write. */
const ON: readonly (JobRunState | undefined)[] = ['STARTING', 'RUNNING', 'STOPPING', 'WAITING'];

/** Newest runs of each job that are looked at: one run at a time, so one that is on is among the first. */
const NEWEST_RUNS = 25;

/** Whether an execution is still on. One that Step Functions has forgotten (after 90 days) has ended. */
export async function isExecutionOn(sfn: SFNClient, executionArn: string): Promise<boolean> {
  try {
    const { status } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    return status === 'RUNNING' || status === 'PENDING_REDRIVE';
  } catch (error) {
    if (error instanceof ExecutionDoesNotExist) return false;
    throw error;
  }
}

/** The job runs of one medallion run (by their argument `--run_id`) that are on. */
export async function jobsOf(
  glue: GlueClient,
  jobNames: readonly string[],
  runId: string,
): Promise<RunningJob[]> {
  const found = await Promise.all(
    jobNames.map(async (job) => {
      const { JobRuns } = await glue.send(new GetJobRunsCommand({ JobName: job, MaxResults: NEWEST_RUNS }));
      return (JobRuns ?? [])
        .filter((run) => ON.includes(run.JobRunState) && run.Arguments?.['--run_id'] === runId)
        .map((run) => ({ job, id: run.Id ?? '' }));
    }),
  );
  return found.flat();
}

/** Asks Glue to stop these runs; they may take a while to end. */
export async function stopJobs(glue: GlueClient, jobs: readonly RunningJob[]): Promise<void> {
  for (const { job, id } of jobs) {
    await glue.send(new BatchStopJobRunCommand({ JobName: job, JobRunIds: [id] }));
  }
}
