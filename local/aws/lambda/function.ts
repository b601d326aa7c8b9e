/** A function as the twin runs it. */
export type FunctionDefinition = {
  /** Module whose export `handler` is the function; a path or a file URL. */
  handler: string;
  timeoutSeconds: number;
  memoryMb: number;
  /** What the handler finds in `process.env` beside Lambda's own variables. */
  environment: Readonly<Record<string, string>>;
};

/** Where an invocation ended well or not: the payload is JSON text, `error` says that it is an error's. */
export type Outcome = { payload: string; error: boolean };

/** What a sandbox's thread is started with. */
export type SandboxData = { handler: string; functionName: string; functionArn: string; memoryMb: number };

/** One event for a sandbox, which has so long for it from when its module is loaded. */
export type Call = { requestId: string; event: string; timeoutMs: number };

/** One event for the thread. */
export type Invocation = { requestId: string; event: string; deadlineMs: number };

/** The thread's first message: its module is loaded, well or not. */
export const LOADED = 'loaded';

/** Lambda's account in the twin, as moto's. */
export const ACCOUNT = '123456789012';

/** Lambda's limit for the payload of a synchronous call, each way, and of an asynchronous one (bytes). */
export const SYNC_PAYLOAD_BYTES = 6 * 1024 * 1024;
export const ASYNC_PAYLOAD_BYTES = 1024 * 1024;

/** `cdc-demo-dev-run-lock` out of a name, an ARN or a partial ARN, with or without a qualifier. */
export function functionNameOf(asked: string): string {
  const name = /(?:^|:)function:([^:]+)/.exec(asked)?.[1] ?? asked.split(':')[0];
  return name ?? asked;
}

/** The names of a function's deployment use hyphens: `cdc_demo`, `dev`, `run-lock` give `cdc-demo-dev-run-lock`. */
export function deployedName(deployment: { project: string; stage: string }, name: string): string {
  return `${deployment.project}-${deployment.stage}-${name}`.replaceAll('_', '-');
}
