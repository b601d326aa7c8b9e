import { platformTables } from '../functions/cdc/connector-config.ts';
import type { Resource, StageContext, TemplatePart } from './generated.ts';
import { att, ref } from './intrinsics.ts';
import { deploymentOf, topicIds } from './topics.ts';

/**
 * Longer than the longest run of the function that answers; by default CloudFormation waits an hour for an answer that
 * doesn't come. In seconds.
 */
export const ANSWERED_WITHIN_SECONDS = '1200';

/**
 * What begins the capture: the source is prepared, then the connector put; both are taken away again in the other order
 * before what they need goes. All topics come before either: once a new table is published, a connector that is kept as
 * it is declared may send its changes, and Connect would make a missing topic with its own settings.
 */
export function captureParts(context: Pick<StageContext, 'registry' | 'stage'>): TemplatePart {
  const own = Object.values(platformTables(deploymentOf(context)));
  return {
    Resources: {
      // The functions reach source and Connect by the network, also when their removal is asked for.
      SourcePreparation: sourcePreparation(own, ['NetworkReady', ...topicIds(context)]),
      ConnectorRegistration: connectorRegistration(own),
    },
  };
}

function sourcePreparation(own: string[], before: string[]): Resource {
  return {
    Type: 'Custom::Source',
    DependsOn: before,
    Properties: {
      ...askedOf('SourceLambdaFunction', own),
      Create: { action: 'prepare' },
      Update: { action: 'prepare' },
      Delete: { action: 'remove' },
      Attributes: ['messageKeys'],
    },
  };
}

/** What the preparation waits for it waits for, too, since it takes the keys from there. */
function connectorRegistration(own: string[]): Resource {
  // CloudFormation gives attributes as texts; the function reads this one as JSON.
  const event = { action: 'apply', messageKeys: att('SourcePreparation', 'messageKeys') };
  return {
    Type: 'Custom::Connector',
    DependsOn: 'ConnectService',
    Properties: {
      ...askedOf('ConnectorLambdaFunction', own),
      Create: event,
      Update: event,
      Delete: { action: 'remove' },
    },
  };
}

/** Asked again when tables come or go, or the platform's own have other names than before. */
function askedOf(functionId: string, own: string[]): Record<string, unknown> {
  return {
    ServiceToken: att('CustomDashresourceLambdaFunction'),
    ServiceTimeout: ANSWERED_WITHIN_SECONDS,
    FunctionName: ref(functionId),
    Revision: `\${self:custom.deployment.registry}`,
    PlatformTables: own,
  };
}
