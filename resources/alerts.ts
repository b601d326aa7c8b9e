import type { StageContext, TemplatePart } from './generated.ts';
import { ref } from './intrinsics.ts';
import { PackagingError } from './packaging-error.ts';

/**
 * The subscription by e-mail, when the parameter `alertEmail` names an address. AWS asks its owner to confirm it.
 * @throws PackagingError when the parameter is no address
 */
export async function alertEmail(context: StageContext): Promise<TemplatePart> {
  const address = await context.param('alertEmail');
  if (address === '') return {};
  if (!/^[^@\s]+@[^@\s]+$/.test(address)) {
    throw new PackagingError(
      `The parameter alertEmail of stage ${context.stage} is "${address}", which is no e-mail address; leave it empty for none.`,
    );
  }
  return {
    Resources: {
      AlertEmail: {
        Type: 'AWS::SNS::Subscription',
        Properties: { TopicArn: ref('AlertTopic'), Protocol: 'email', Endpoint: address },
      },
    },
  };
}
