import type { StageContext, TemplatePart } from './generated.ts';
import { att, ref } from './intrinsics.ts';
import { topicIds } from './topics.ts';

/**
 * The connector, put when everything that it writes to is there, and removed before any of it goes. What doesn't depend
 * on the tables stands in capture.yml.
 */
export function captureParts({ registry }: Pick<StageContext, 'registry'>): TemplatePart {
  // CloudFormation gives attributes as texts; the function reads this one as JSON.
  const event = { action: 'apply', messageKeys: att('SourcePreparation', 'messageKeys') };
  return {
    Resources: {
      ConnectorRegistration: {
        Type: 'Custom::Connector',
        DependsOn: ['ConnectService', 'NetworkReady', ...topicIds(registry)],
        Properties: {
          ServiceToken: att('CustomDashresourceLambdaFunction'),
          ServiceTimeout: '1200',
          FunctionName: ref('ConnectorLambdaFunction'),
          Create: event,
          Update: event,
          Delete: { action: 'remove' },
          Revision: `\${self:custom.deployment.registry}`,
        },
      },
    },
  };
}
