import { AthenaClient } from '@aws-sdk/client-athena';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { DescribeStateMachineCommand, SFNClient } from '@aws-sdk/client-sfn';
import { glueDatabase } from '../../functions/cdc/names.ts';
import type { Registry } from '../../functions/cdc/registry.ts';
import type { ConnectorCondition } from '../../functions/connector/condition.ts';
import type { World } from '../world.ts';
import { runQuery } from './athena.ts';
import { isNotFound, StageError } from './errors.ts';
import { followThroughFunction } from './events.ts';
import { invoke } from './invoke.ts';
import type { Place } from './place.ts';
import { readStageStatus } from './status.ts';

/** Two calls a look; GetExecutionHistory refills at 20 a second in the large regions, at 5 elsewhere (Step Functions quotas). */
const POLL_MS = 2_000;

/** What the connector function answers to `status`. */
export type ConnectorAnswer = {
  connector: string;
  condition: ConnectorCondition;
  config: Record<string, string> | null;
};

/** A stage on AWS, reached with the caller's credentials; what stands in its VPC, through functions. */
export function stageWorld(registry: Registry, place: Place): World {
  const { deployment, region, settings } = place;
  const lambda = new LambdaClient(settings);
  return {
    place: `stage ${place.stage} (${region}, account ${place.account})`,
    registry,
    deployment,

    async stateMachine(name) {
      const sfn = new SFNClient(settings);
      const arn = place.arn('states', `stateMachine:${place.name(name)}`);
      await sfn.send(new DescribeStateMachineCommand({ stateMachineArn: arn })).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
        throw new StageError(
          `There is no state machine ${place.name(name)} in ${region} of account ${place.account}. Deploy it with \`npx sls deploy --stage ${place.stage}\`, or name the region it is in with --region.`,
          { cause: error },
        );
      });
      return { sfn, arn, pollMs: POLL_MS, link: (execution) => consoleLink(region, execution) };
    },

    async connector() {
      const { connector, condition, config } = await invoke<ConnectorAnswer>(lambda, place, 'connector', {
        action: 'status',
      });
      return { name: connector, ...condition, config };
    },

    query(sql, limit, signal) {
      const where = { workGroup: place.name(), database: glueDatabase(deployment) };
      return runQuery(new AthenaClient(settings), where, sql, limit, { signal });
    },

    follow: (table, options) => followThroughFunction(lambda, place, table, options),

    status: () => readStageStatus(place, registry),
  };
}

/** The page of an execution in the Step Functions console. */
export function consoleLink(region: string, executionArn: string): string {
  return `https://${region}.console.aws.amazon.com/states/home?region=${region}#/v2/executions/details/${executionArn}`;
}
