import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { isNotFound, StageError } from './errors.ts';
import type { Place } from './place.ts';

/**
 * Calls one of the stage's functions, which stand where this machine can't reach: in the VPC.
 * @param part `connector`, `events` and so on
 * @throws StageError when there is no such function, or when it failed, with its own words
 */
export async function invoke<Answer>(
  lambda: LambdaClient,
  place: Place,
  part: string,
  event: unknown,
  signal?: AbortSignal,
): Promise<Answer> {
  const name = place.name(part);
  const { FunctionError, Payload } = await lambda
    .send(new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(event) }), {
      ...(signal ? { abortSignal: signal } : {}),
    })
    .catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
      throw new StageError(
        `There is no function ${name} in ${place.region} of account ${place.account}. Deploy it with \`npx sls deploy --stage ${place.stage}\`, or name the region it is in with --region.`,
        { cause: error },
      );
    });
  const answer = JSON.parse(Payload?.transformToString() || 'null') as unknown;
  if (FunctionError) {
    const { errorMessage } = (answer ?? {}) as { errorMessage?: string };
    throw new StageError(
      `${name} failed: ${errorMessage ?? FunctionError}. Its log: \`npx sls logs -f ${part} --stage ${place.stage} --region ${place.region}\`.`,
    );
  }
  return answer as Answer;
}
