import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DeployedJobs } from './deployed-jobs.ts';
import { readBody, sendJson } from './http.ts';

/** A job as the twin runs it: `defaultArguments` go to every run unless it brings its own. */
export type JobDefinition = { defaultArguments: Readonly<Record<string, string>> };

export type GlueOptions = {
  /** The Spark worker's HTTP API (docs/architecture.md, "The twin's endpoints"). */
  workerUrl: string;
  /** By deployed name, e.g. `cdc-demo-dev-bronze`. */
  jobs: Readonly<Record<string, JobDefinition>>;
  /** Set: jobs that a deployment has made are run, too. */
  deployed?: DeployedJobs;
};

type RunState = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'STOPPING' | 'STOPPED';

/** One run as this API knows it. Times in ms since 1970. */
type Run = {
  id: string;
  job: string;
  arguments: Record<string, string>;
  state: RunState;
  startedAt: number;
  endedAt?: number;
  error?: string;
};

/** What the worker answers about a run; times in ISO 8601. */
type WorkerRun = {
  id: string;
  job: string;
  args: Record<string, string>;
  started_at: string;
  state: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'STOPPED';
  error: string | null;
  finished_at: string | null;
};

type Input = {
  JobName?: string;
  RunId?: string;
  JobRunIds?: string[];
  Arguments?: Record<string, string>;
  MaxResults?: number;
};

/**
 * Parameters that Glue takes for itself, and that mean nothing here
 * (https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html).
 */
const GLUE_OWN = new Set([
  '--scriptLocation',
  '--extra-py-files',
  '--conf',
  '--datalake-formats',
  '--enable-metrics',
]);

/** Ended runs kept for GetJobRuns, over all jobs. */
const KEPT_RUNS = 500;
const BODY_BYTES = 1024 * 1024;
const WORKER_TIMEOUT_MS = 30_000;

/** An answer that is an error, by Glue's name for it. */
class GlueError extends Error {
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

/** The worker can't be reached: it crashed, or is being restarted. */
class WorkerGone extends Error {
  override name = 'WorkerGone';
}

/**
 * Glue's job runs, run by the Spark worker; one run of a job at a time, as MaxConcurrentRuns 1 with queuing off. Runs
 * are remembered here, beyond the worker's life, and learned from the worker after a restart of this process.
 */
export class GlueApi {
  readonly #options: GlueOptions;
  readonly #runs = new Map<string, Run>();
  readonly #actions: Record<string, (input: Input) => Promise<unknown>> = {
    StartJobRun: (input) => this.#start(input),
    GetJobRun: (input) => this.#get(input),
    GetJobRuns: (input) => this.#list(input),
    BatchStopJobRun: (input) => this.#stop(input),
    GetJob: async (input) => ({ Job: describeJob(await this.#job(input)) }),
  };

  constructor(options: GlueOptions) {
    this.#options = options;
  }

  /** Whether this answers a target such as `AWSGlue.StartJobRun`; the rest of Glue (its catalog) is moto's. */
  answers(target: string): boolean {
    const action = target.replace(/^AWSGlue\./, '');
    // What a deployment has made, it finds again in moto, with all that it said of it.
    if (action === 'GetJob' && this.#options.deployed) return false;
    return action !== target && action in this.#actions;
  }

  /** Answers one request; never rejects. */
  async serve(target: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const headers = { 'content-type': 'application/x-amz-json-1.1' };
    try {
      const input = JSON.parse((await readBody(request, BODY_BYTES)).toString('utf8')) as Input;
      const answer = await this.#actions[target.slice('AWSGlue.'.length)]?.(input);
      sendJson(response, 200, answer, headers);
    } catch (error) {
      const type = error instanceof GlueError ? error.type : 'InternalServiceException';
      const status = type === 'InternalServiceException' ? 500 : 400;
      sendJson(response, status, { __type: type, Message: (error as Error).message }, headers);
    }
  }

  async #start(input: Input): Promise<unknown> {
    const { name, definition } = await this.#job(input);
    const given = ownArguments({ ...definition.defaultArguments, ...input.Arguments });
    const args = this.#options.deployed?.readable(given) ?? given;
    const { status, body } = await this.#worker('POST', '/runs', { job: name, args });
    if (status === 409) {
      throw new GlueError('ConcurrentRunsExceededException', `Concurrent runs exceeded for ${name}`);
    }
    const { id, error } = body as { id?: string; error?: string };
    if (id === undefined) {
      throw new GlueError(
        'InternalServiceException',
        `The Spark worker answered ${status}: ${error ?? 'no run id'}`,
      );
    }
    this.#remember({ id, job: name, arguments: args, state: 'RUNNING', startedAt: Date.now() });
    return { JobRunId: id };
  }

  async #get(input: Input): Promise<unknown> {
    const run = await this.#find(input.RunId ?? '');
    if (run === undefined || run.job !== input.JobName) {
      throw new GlueError(
        'EntityNotFoundException',
        `Job run ${input.RunId} of ${input.JobName} was not found`,
      );
    }
    return { JobRun: describeRun(await this.#fresh(run)) };
  }

  /** Newest first, as Glue. */
  async #list(input: Input): Promise<unknown> {
    const { name } = await this.#job(input);
    await this.#learnRuns(name);
    const own = [...this.#runs.values()].filter(({ job }) => job === name).reverse();
    const runs = await Promise.all(own.slice(0, input.MaxResults ?? 200).map((run) => this.#fresh(run)));
    return { JobRuns: runs.map(describeRun) };
  }

  async #stop(input: Input): Promise<unknown> {
    const stopped: object[] = [];
    const errors: object[] = [];
    for (const id of input.JobRunIds ?? []) {
      const run = await this.#find(id);
      if (run !== undefined && run.job === input.JobName && isOn(await this.#fresh(run))) {
        await this.#worker('POST', `/runs/${encodeURIComponent(id)}/stop`);
        run.state = 'STOPPING';
        stopped.push({ JobName: input.JobName, JobRunId: id });
      } else {
        const detail = {
          ErrorCode: 'JobRunNotInTerminalStateException',
          ErrorMessage: 'The run is not running',
        };
        errors.push({ JobName: input.JobName, JobRunId: id, ErrorDetail: detail });
      }
    }
    return { SuccessfulSubmissions: stopped, Errors: errors };
  }

  async #find(id: string): Promise<Run | undefined> {
    const known = this.#runs.get(id);
    if (known) return known;
    const { status, body } = await this.#worker('GET', `/runs/${encodeURIComponent(id)}`);
    return status === 200 ? this.#learn(body as WorkerRun) : undefined;
  }

  /** Oldest first, as they are remembered. A worker that is gone has none to tell of. */
  async #learnRuns(job: string): Promise<void> {
    try {
      const { body } = await this.#worker('GET', `/runs?job=${encodeURIComponent(job)}`);
      for (const run of (body as { runs: WorkerRun[] }).runs.toReversed()) this.#learn(run);
    } catch (error) {
      if (!(error instanceof WorkerGone)) throw error;
    }
  }

  #learn(told: WorkerRun): Run {
    const known = this.#runs.get(told.id);
    if (known) return known;
    const { id, job, args } = told;
    const run: Run = { id, job, arguments: args, state: 'RUNNING', startedAt: Date.parse(told.started_at) };
    update(run, told);
    this.#remember(run);
    return run;
  }

  async #job(input: Input): Promise<{ name: string; definition: JobDefinition }> {
    const name = input.JobName ?? '';
    const definition = this.#options.jobs[name] ?? (await this.#options.deployed?.find(name));
    if (definition) return { name, definition };
    const known = Object.keys(this.#options.jobs).join(', ');
    throw new GlueError('EntityNotFoundException', `Job ${name} was not found; the twin has ${known}`);
  }

  /** The run with what the worker knows of it now. A run whose worker is gone has failed: nothing will end it. */
  async #fresh(run: Run): Promise<Run> {
    if (!isOn(run)) return run;
    try {
      const { status, body } = await this.#worker('GET', `/runs/${encodeURIComponent(run.id)}`);
      if (status === 404) end(run, 'FAILED', lost(run, 'was restarted'));
      else if (status === 200) update(run, body as WorkerRun);
    } catch (error) {
      if (!(error instanceof WorkerGone)) throw error;
      end(run, 'FAILED', lost(run, `does not answer (${error.message})`));
    }
    return run;
  }

  async #worker(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
    const url = this.#options.workerUrl + path;
    try {
      const answer = await fetch(url, {
        method,
        signal: AbortSignal.timeout(WORKER_TIMEOUT_MS),
        headers: { 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: answer.status, body: await answer.json() };
    } catch (error) {
      throw isGone(error) ? new WorkerGone(reasonOf(error), { cause: error }) : error;
    }
  }

  #remember(run: Run): void {
    this.#runs.set(run.id, run);
    for (const [id, old] of this.#runs) {
      if (this.#runs.size <= KEPT_RUNS) return;
      if (!isOn(old)) this.#runs.delete(id);
    }
  }
}

function isOn({ state }: Run): boolean {
  return state === 'RUNNING' || state === 'STOPPING';
}

function update(run: Run, { state, error, finished_at }: WorkerRun): void {
  if (state === 'RUNNING') return;
  end(run, state, error ?? undefined, finished_at === null ? Date.now() : Date.parse(finished_at));
}

function end(run: Run, state: RunState, error?: string, at = Date.now()): void {
  run.state = state;
  run.endedAt = at;
  if (error !== undefined) run.error = error;
}

function lost({ job, id }: Run, what: string): string {
  return `The Spark worker ${what} while run ${id} of ${job} was on; its log is logs/spark.log. The next run of the medallion takes over what was left.`;
}

/** Refused, reset or closed: no process is there. A slow answer isn't one of these. */
function isGone(error: unknown): boolean {
  return ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(reasonOf(error));
}

function reasonOf(error: unknown): string {
  const { cause, message } = error as Error;
  return (cause as NodeJS.ErrnoException | undefined)?.code ?? message;
}

function ownArguments(all: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(all).filter(([name]) => !GLUE_OWN.has(name)));
}

function describeRun(run: Run): object {
  const ended = run.endedAt;
  return {
    Id: run.id,
    Attempt: 0,
    JobName: run.job,
    JobRunState: run.state,
    Arguments: run.arguments,
    StartedOn: run.startedAt / 1000,
    LastModifiedOn: (ended ?? run.startedAt) / 1000,
    ExecutionTime: Math.round(((ended ?? Date.now()) - run.startedAt) / 1000),
    GlueVersion: '6.0',
    ...(ended === undefined ? {} : { CompletedOn: ended / 1000 }),
    ...(run.error === undefined ? {} : { ErrorMessage: run.error }),
  };
}

function describeJob({ name, definition }: { name: string; definition: JobDefinition }): object {
  return {
    Name: name,
    DefaultArguments: definition.defaultArguments,
    ExecutionProperty: { MaxConcurrentRuns: 1 },
    JobRunQueuingEnabled: false,
    GlueVersion: '6.0',
  };
}
