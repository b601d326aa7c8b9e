/** Which of AWS's calls an error came from. The SDK tells its logger and nobody else. */

type Failure = { clientName?: string; commandName?: string; error?: unknown };

const calls = new WeakMap<object, string>();
const silent = () => {};

/** What the SDK's clients take as `logger`: prints nothing, remembers of each error what was asked for. */
export const CALL_LOG = {
  trace: silent,
  debug: silent,
  info: silent,
  warn: silent,
  error({ clientName, commandName, error }: Failure): void {
    if (typeof error !== 'object' || error === null || !commandName) return;
    const service = clientName?.replace(/Client$/, '') ?? 'AWS';
    calls.set(error, `${service} ${commandName.replace(/Command$/, '')}`);
  },
};

/** `SFN StartExecution`; null for an error of a client without `CALL_LOG`. */
export function failedCall(error: Error): string | null {
  return calls.get(error) ?? null;
}
