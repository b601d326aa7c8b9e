/** Does what its event asks, to show how each end of a handler looks from outside. */

type Asked = { do: string; [field: string]: unknown };

type Context = {
  awsRequestId: string;
  functionName: string;
  invokedFunctionArn: string;
  getRemainingTimeInMillis(): number;
};

class NotSound extends Error {
  override name = 'NotSound';
}

let calls = 0;

export async function handler(event: Asked, context: Context): Promise<unknown> {
  calls += 1;
  if (event.do === 'context') {
    const { awsRequestId, functionName, invokedFunctionArn } = context;
    return {
      awsRequestId,
      functionName,
      invokedFunctionArn,
      left: context.getRemainingTimeInMillis(),
      calls,
    };
  }
  if (event.do === 'environment') return process.env;
  if (event.do === 'throw') throw new NotSound('3 rows are wrong');
  if (event.do === 'exit') process.exit(3);
  if (event.do === 'spin') for (;;) calls += 0;
  if (event.do === 'hang') return new Promise(() => {});
  if (event.do === 'grow') return 'x'.repeat(Number(event['bytes']));
  if (event.do === 'log') process.stdout.write('a line of the log\n');
  if (event.do === 'crash later') setTimeout(() => JSON.parse('{'), 5);
  if (event.do === 'crash later') return new Promise(() => {});
  return { event, calls };
}
