import { z } from 'zod';

const payload = z.record(z.string(), z.unknown());

/** What is to be done: a function of the deployment is invoked, or Kafka is asked for its addresses. */
const properties = z.union([
  z.object({
    /** Name or ARN. */
    FunctionName: z.string().min(1),
    /** Its event by the request's type; where one is left out, nothing is invoked. */
    Create: payload.optional(),
    Update: payload.optional(),
    Delete: payload.optional(),
    /** The fields of its answer that the template refers to. */
    Attributes: z.array(z.string().min(1)).default([]),
  }),
  z.object({ Action: z.literal('bootstrap-brokers'), ClusterArn: z.string().startsWith('arn:') }),
]);

const request = z.object({
  RequestType: z.enum(['Create', 'Update', 'Delete']),
  ResourceProperties: properties,
});

/**
 * Where a request comes from and where its answer is expected. Only the URL is indispensable: whatever else is missing
 * can still be answered with a failure.
 */
const sender = z.object({
  ResponseURL: z.url({ protocol: /^https?$/ }),
  StackId: z.string().default(''),
  RequestId: z.string().default(''),
  LogicalResourceId: z.string().default(''),
  PhysicalResourceId: z.string().optional(),
});

export type ResourceProperties = z.output<typeof properties>;
export type ResourceRequest = z.output<typeof request>;
export type Sender = z.output<typeof sender>;

/**
 * Reads who asks.
 * @throws Error for an event without a ResponseURL: nobody waits for an answer then
 */
export function readSender(event: unknown): Sender {
  const read = sender.safeParse(event);
  if (read.success) return read.data;
  throw new Error(
    `This is no request of CloudFormation, nothing was done: ${mistakes(read.error)}. The function is invoked by a custom resource whose ServiceToken is its ARN.`,
  );
}

/** Reads what is asked. @throws Error that names what is wrong with the resource's properties */
export function readRequest(event: unknown): ResourceRequest {
  const read = request.safeParse(event);
  if (read.success) return read.data;
  throw new Error(
    `The custom resource is declared wrongly: ${mistakes(read.error)}. It takes FunctionName with Create, Update, Delete, or Action: bootstrap-brokers with ClusterArn.`,
  );
}

function mistakes(error: z.ZodError): string {
  return error.issues.map(({ path, message }) => `${path.join('.')} ${message}`.trim()).join('; ');
}
