import { on, once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { type Call, type FunctionDefinition, LOADED, type Outcome, type SandboxData } from './function.ts';

/** V8 keeps part of a function's memory for what isn't its heap; Node gives the heap about this share in Lambda. */
const HEAP_SHARE = 0.9;

/** From then on, a module that is still not loaded uses up the time of its first call. */
const LOAD_WITHIN_MS = 60_000;

/**
 * One execution environment: a thread with its own environment, heap limit and modules, kept warm, one event at a
 * time. Over time it is killed, as Lambda does with a function that took too long; `dead` then.
 */
export class Sandbox {
  #worker: Worker;
  readonly #loaded: Promise<unknown>;
  #exited = false;

  /** `onOutput` gets what the function writes to stdout and stderr. */
  constructor(
    definition: FunctionDefinition,
    data: SandboxData,
    environment: Readonly<Record<string, string>>,
    onOutput: (text: string) => void,
  ) {
    this.#worker = new Worker(new URL('./thread.ts', import.meta.url), {
      workerData: data,
      env: { ...environment, ...definition.environment },
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: Math.ceil(definition.memoryMb * HEAP_SHARE) },
      stdout: true,
      stderr: true,
    });
    for (const stream of [this.#worker.stdout, this.#worker.stderr]) {
      stream.setEncoding('utf8').on('data', onOutput);
    }
    // The invocation in progress is told; the thread ends after an error as well as on its own.
    for (const end of ['error', 'exit']) {
      this.#worker.on(end, () => {
        this.#exited = true;
      });
    }
    // Lambda's time-out doesn't count what comes before the first call
    // (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib).
    this.#loaded = Promise.race([
      once(this.#worker, 'message'),
      once(this.#worker, 'exit'),
      pause(LOAD_WITHIN_MS, undefined, { ref: false }),
    ]).catch(() => undefined);
    // A warm sandbox keeps no process alive.
    this.#worker.unref();
  }

  get dead(): boolean {
    return this.#exited;
  }

  /** Runs one event. Never rejects: what goes wrong is an outcome, in Lambda's words. */
  async run({ requestId, event, timeoutMs }: Call): Promise<Outcome> {
    const over = new AbortController();
    const { signal } = over;
    const ended = this.#ended(requestId, signal);
    const late = this.#loaded.then(() => {
      this.#worker.postMessage({ requestId, event, deadlineMs: Date.now() + timeoutMs });
      return pause(timeoutMs, undefined, { signal }).catch(() => undefined);
    });
    const outcome = await Promise.race([ended, late]);
    over.abort();
    if (outcome) return outcome;
    await this.stop();
    return timedOut(requestId, timeoutMs);
  }

  /** What the thread answers, or how it ended instead. */
  #ended(requestId: string, signal: AbortSignal): Promise<Outcome> {
    const broke = once(this.#worker, 'exit', { signal }).then(([code]) => exited(requestId, code as number));
    return Promise.race([this.#answer(signal), broke]).catch((error: unknown) => crashed(requestId, error));
  }

  async #answer(signal: AbortSignal): Promise<Outcome> {
    for await (const [message] of on(this.#worker, 'message', { signal })) {
      if (message !== LOADED) return message as Outcome;
    }
    throw signal.reason;
  }

  async stop(): Promise<void> {
    this.#exited = true;
    await this.#worker.terminate();
  }
}

function timedOut(requestId: string, limitMs: number): Outcome {
  return failure(
    'Sandbox.Timedout',
    `RequestId: ${requestId} Error: Task timed out after ${seconds(limitMs)} seconds`,
  );
}

function exited(requestId: string, code: number): Outcome {
  return failure(
    'Runtime.ExitError',
    `RequestId: ${requestId} Error: Runtime exited with error: exit status ${code}`,
  );
}

/** An error outside the handler's promise: an uncaught exception, or memory ran out. */
function crashed(requestId: string, error: unknown): Outcome {
  const { name, message } = error as Error;
  return failure('Runtime.ExitError', `RequestId: ${requestId} Error: Runtime exited: ${name}: ${message}`);
}

function failure(errorType: string, errorMessage: string): Outcome {
  return { payload: JSON.stringify({ errorType, errorMessage }), error: true };
}

function seconds(ms: number): string {
  return (Math.round(ms / 10) / 100).toFixed(2);
}
