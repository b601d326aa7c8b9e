import type { Sender } from './request.ts';

/** Names and values that a template reads with GetAtt. */
export type Attributes = Record<string, string>;

/** How a request ended. */
export type Outcome = { attributes: Attributes } | { failure: string };

/** CloudFormation takes no larger response (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html). */
const RESPONSE_BYTES = 4096;
/** JSON may double what a reason holds, and the ids must fit beside it. */
const REASON_BYTES = 1500;

/** Marks a resource whose creation failed, so that its deletion, which CloudFormation asks for next, can't fail. */
const NOT_CREATED = '/not-created';

/** The text to be sent to CloudFormation: always one that it accepts. */
export function responseText(sender: Sender, outcome: Outcome): string {
  const { StackId, RequestId, LogicalResourceId } = sender;
  const ids = { StackId, RequestId, LogicalResourceId };
  if ('attributes' in outcome) {
    const done = JSON.stringify({
      Status: 'SUCCESS',
      ...ids,
      PhysicalResourceId: physicalId(sender),
      Data: outcome.attributes,
    });
    if (Buffer.byteLength(done) <= RESPONSE_BYTES) return done;
    const sizes = Object.entries(outcome.attributes).map(
      ([name, text]) => `${name} ${Buffer.byteLength(text)}`,
    );
    return responseText(sender, {
      failure: `It was done, but the attributes are more than the ${RESPONSE_BYTES} bytes that CloudFormation takes (${sizes.join(', ')}); name fewer in Attributes.`,
    });
  }
  const PhysicalResourceId = sender.PhysicalResourceId ?? physicalId(sender) + NOT_CREATED;
  return JSON.stringify({ Status: 'FAILED', Reason: cut(outcome.failure), ...ids, PhysicalResourceId });
}

/** Whether a resource was never created: its deletion has nothing to wait for. */
export function wasNeverCreated({ PhysicalResourceId }: Sender): boolean {
  return PhysicalResourceId?.endsWith(NOT_CREATED) ?? false;
}

/** The same for every request about a resource: another one would make CloudFormation delete the old. */
function physicalId({ PhysicalResourceId, StackId, LogicalResourceId }: Sender): string {
  // arn:aws:cloudformation:<region>:<account>:stack/<name>/<id>
  const stack = StackId.split('/')[1] ?? 'stack';
  return PhysicalResourceId ?? `${stack}/${LogicalResourceId}`;
}

function cut(reason: string): string {
  // A control character would take six bytes.
  const bytes = Buffer.from(reason.replaceAll(/(?!\n)\p{Cc}/gu, ' '));
  if (bytes.length <= REASON_BYTES) return bytes.toString('utf8');
  return `${bytes.subarray(0, REASON_BYTES).toString('utf8').replace(/�+$/, '')} ...`;
}
