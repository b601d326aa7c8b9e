/** Something about the twin that has to be put right there; printed without a stack trace, exit code 1. */
export class TwinError extends Error {
  override name = 'TwinError';
}

type Trouble = Error & {
  code?: string;
  errors?: readonly unknown[];
  $metadata?: { httpStatusCode?: number };
};

/** What sockets, fetch, kafkajs and Connect's client say when nobody is there, or goes away. */
const SILENT =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|UND_ERR_\w+|KafkaJS\w*|ConnectUnreachableError|TimeoutError)$/;

/**
 * A part of the twin that does not answer, or answers what only another twin's would, in one sentence that says what to
 * do. Null for an error that is neither: a defect, whose stack is wanted.
 * @param root the twin's state folder
 */
export function explainTwinError(error: unknown, root: string): TwinError | null {
  const restart = `See \`cdc status\` and the logs in ${root}/logs; stop the twin and start it again.`;
  const silent = chainOf(error).find(({ name, code }) => SILENT.test(code ?? '') || SILENT.test(name));
  if (silent) {
    const why = chainOf(silent).at(-1)?.message || silent.code;
    return new TwinError(`A part of the twin in ${root} does not answer (${why}). ${restart}`, {
      cause: error,
    });
  }
  const { name, message, $metadata } = error as Trouble;
  if ($metadata?.httpStatusCode === undefined) return null;
  return new TwinError(`The twin's AWS endpoint refuses: ${message} (${name}). ${restart}`, { cause: error });
}

/** An error, its causes, and those of what failed together. */
function chainOf(error: unknown): Trouble[] {
  if (!(error instanceof Error)) return [];
  const { cause, errors = [] } = error as Trouble;
  return [error, ...[cause, ...errors].flatMap(chainOf)];
}
