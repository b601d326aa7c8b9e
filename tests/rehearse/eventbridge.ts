import {
  DescribeRuleCommand,
  EventBridgeClient,
  ListTargetsByRuleCommand,
} from '@aws-sdk/client-eventbridge';
import { GetPolicyCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetScheduleCommand, SchedulerClient } from '@aws-sdk/client-scheduler';
import { SFNClient } from '@aws-sdk/client-sfn';
import { type RunResult, runExecution } from '../../local/execution.ts';
import { invokeFunction } from './account.ts';
import { tailOf } from './log.ts';
import { logOf, type World } from './world.ts';

const RUN_WITHIN_MS = 600_000;

/**
 * What EventBridge does with a rule when its time has come: invokes its function with the target's input.
 * @returns the function's answer, which EventBridge would leave alone
 * @throws Error for a rule that is off, for a function that EventBridge may not invoke, and with a function's error
 */
export async function fireRule({ clients }: World, rule: string): Promise<Record<string, unknown>> {
  const events = new EventBridgeClient(clients);
  const { State, Arn = '' } = await events.send(new DescribeRuleCommand({ Name: rule }));
  if (State !== 'ENABLED') throw new Error(`The rule ${rule} is ${State}`);
  const { Targets = [] } = await events.send(new ListTargetsByRuleCommand({ Rule: rule }));
  const [target, ...others] = Targets;
  if (target?.Arn === undefined || others.length > 0)
    throw new Error(`The rule ${rule} has ${Targets.length} targets`);
  const lambda = new LambdaClient(clients);
  await refuseUninvited(lambda, target.Arn, 'events.amazonaws.com', Arn);
  return invokeFunction({ clients }, target.Arn, target.Input ?? JSON.stringify(scheduledEvent(Arn)));
}

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html */
function scheduledEvent(rule: string): object {
  return {
    version: '0',
    id: crypto.randomUUID(),
    'detail-type': 'Scheduled Event',
    source: 'aws.events',
    time: new Date().toISOString(),
    resources: [rule],
    detail: {},
  };
}

/** @throws Error for a function whose policy doesn't let the service call it on behalf of `source` */
export async function refuseUninvited(
  lambda: LambdaClient,
  functionArn: string,
  service: string,
  source: string,
): Promise<void> {
  const { Policy = '{}' } = await lambda.send(new GetPolicyCommand({ FunctionName: functionArn }));
  const statements: { Principal: { Service?: string }; Condition?: unknown }[] =
    JSON.parse(Policy).Statement ?? [];
  const account = source.split(':')[4];
  const invited = statements.some(({ Principal, Condition }) => {
    const condition = JSON.stringify(Condition ?? {});
    return (
      Principal.Service === service &&
      (condition.includes(`"${source}"`) || condition.includes(`"${account}"`))
    );
  });
  if (!invited) throw new Error(`${functionArn} is not to be invoked by ${service} for ${source}: ${Policy}`);
}

/** A schedule's state, `ENABLED` or `DISABLED`. */
export async function scheduleState({ clients }: World, schedule: string): Promise<string | undefined> {
  return (await new SchedulerClient(clients).send(new GetScheduleCommand({ Name: schedule }))).State;
}

/**
 * What EventBridge Scheduler does with a schedule when its time has come: starts its state machine with its input.
 * Resolves when the execution has ended, however it did.
 * @throws Error for a schedule that is off, or an execution that does not end
 */
export async function startScheduled(world: World, schedule: string): Promise<RunResult> {
  const { State, Target } = await new SchedulerClient(world.clients).send(
    new GetScheduleCommand({ Name: schedule }),
  );
  if (State !== 'ENABLED') throw new Error(`The schedule ${schedule} is ${State}`);
  return runExecution(new SFNClient(world.clients), {
    stateMachineArn: Target?.Arn ?? '',
    origin: 'scheduled',
    input: JSON.parse(Target?.Input ?? '{}'),
    signal: AbortSignal.timeout(RUN_WITHIN_MS),
  }).catch((error: unknown) => {
    const logs = ['spark', 'functions', 'fargate', 'rds', 'moto'].map((name) => tailOf(logOf(world, name)));
    throw new Error(`The execution that ${schedule} started did not end:\n${logs.join('\n')}`, {
      cause: error,
    });
  });
}
