import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { FunctionDefinition, Invocation, Outcome, SandboxData } from './function.ts';

/** V8 keeps part of a function's memory for what isn't its heap; Node gives the heap about this share in Lambda. */
const HEAP_SHARE = 0.9;

/**
 * One execution environment: a thread with its own environment, heap limit and modules, kept warm, one event at a
 * time. Over time it is killed, as Lambda does with a function that took too long; `dead` then.
 */
export class Sandbox {
  #worker: Worker;
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
    // A warm sandbox keeps no process alive.
    this.#worker.unref();
  }

  get dead(): boolean {
    return this.#exited;
  }

  /** Runs one event. Never rejects: what goes wrong is an outcome, in Lambda's words. */
  async run(invocation: Invocation): Promise<Outcome> {
    const over = new AbortController();
    const limitMs = invocation.deadlineMs - Date.now();
    const late = pause(limitMs, undefined, { signal: over.signal }).catch(() => undefined);
    const ended = this.#ended(invocation, over.signal);
    this.#worker.postMessage(invocation);
    const outcome = await Promise.race([ended, late]);
    over.abort();
    if (outcome) return outcome;
    await this.stop();
    return timedOut(invocation, limitMs);
  }

  /** What the thread answers, or how it ended instead. */
  #ended(invocation: Invocation, signal: AbortSignal): Promise<Outcome> {
    const answered = once(this.#worker, 'message', { signal }).then(([outcome]) => outcome as Outcome);
    const broke = once(this.#worker, 'exit', { signal }).then(([code]) => exited(invocation, code as number));
    return Promise.race([answered, broke]).catch((error: unknown) => crashed(invocation, error));
  }

  async stop(): Promise<void> {
    this.#exited = true;
    await this.#worker.terminate();
  }
}

function timedOut({ requestId }: Invocation, limitMs: number): Outcome {
  return failure(
    'Sandbox.Timedout',
    `RequestId: ${requestId} Error: Task timed out after ${seconds(limitMs)} seconds`,
  );
}

function exited({ requestId }: Invocation, code: number): Outcome {
  return failure(
    'Runtime.ExitError',
    `RequestId: ${requestId} Error: Runtime exited with error: exit status ${code}`,
  );
}

/** An error outside the handler's promise: an uncaught exception, or memory ran out. */
function crashed({ requestId }: Invocation, error: unknown): Outcome {
  const { name, message } = error as Error;
  return failure('Runtime.ExitError', `RequestId: ${requestId} Error: Runtime exited: ${name}: ${message}`);
}

function failure(errorType: string, errorMessage: string): Outcome {
  return { payload: JSON.stringify({ errorType, errorMessage }), error: true };
}

function seconds(ms: number): string {
  return (Math.round(ms / 10) / 100).toFixed(2);
}
