import {
  CloudWatchClient,
  DescribeAlarmsCommand,
  DisableAlarmActionsCommand,
  EnableAlarmActionsCommand,
  PutMetricAlarmCommand,
} from '@aws-sdk/client-cloudwatch';
import {
  CreateClusterCommand,
  CreateServiceCommand,
  DescribeServicesCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
} from '@aws-sdk/client-ecs';
import {
  DescribeRuleCommand,
  DisableRuleCommand,
  EnableRuleCommand,
  EventBridgeClient,
  PutRuleCommand,
} from '@aws-sdk/client-eventbridge';
import {
  CreatePipeCommand,
  DeletePipeCommand,
  ListPipesCommand,
  PipesClient,
  StartPipeCommand,
  StopPipeCommand,
} from '@aws-sdk/client-pipes';
import { CreateDBInstanceCommand, DescribeDBInstancesCommand, RDSClient } from '@aws-sdk/client-rds';
import {
  CreateScheduleCommand,
  GetScheduleCommand,
  SchedulerClient,
  type ScheduleState,
  UpdateScheduleCommand,
} from '@aws-sdk/client-scheduler';
import { ACCOUNT, deployedName } from '../../local/aws/lambda/function.ts';
import { type clientSettings, lockTableName, REGION } from '../../local/aws/platform.ts';

type Deployment = { project: string; stage: string };

const SLEEPERS = ['medallion', 'maintenance'] as const;
const RULES = ['connector', 'slot-monitor', 'pipe-keeper'] as const;
const ASLEEP_ALL_DAY = 'cost-guard-resume';

/** The `DefinitionSubstitutions` of cost-guard.asl.yml. */
export function costGuardSubstitutions(
  deployment: Deployment,
  alertTopicArn: string,
  database: 'own' | 'existing',
): Record<string, string> {
  const name = (part: string) => deployedName(deployment, part);
  const functionArn = (part: string) => `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${name(part)}`;
  return {
    Prefix: deployedName(deployment, '').replace(/-$/, ''),
    Schedules: SLEEPERS.map(name).join(','),
    Rules: RULES.map(name).join(','),
    Database: database,
    DatabaseIdentifier: database === 'own' ? name('source') : '-',
    ClusterName: name('connect'),
    ServiceName: name('connect'),
    LockTable: lockTableName(deployment),
    RunLockFunctionArn: functionArn('run-lock'),
    ConnectorFunctionArn: functionArn('connector'),
    GateFunctionArn: functionArn('gate'),
    AlertTopicArn: alertTopicArn,
  };
}

/** What a stage is like: what the cost guard pauses and resumes. */
export type StageState = {
  alarms: boolean[];
  schedules: (string | undefined)[];
  rules: (string | undefined)[];
  pipes: (string | undefined)[];
  desiredCount: number | undefined;
  database: string | undefined;
};

/** A stage's pausable resources in moto, and a pipe, a schedule and an alarm that are none of the guard's business. */
export class CostGuardStage {
  readonly #deployment: Deployment;
  readonly #cloudwatch: CloudWatchClient;
  readonly #ecs: ECSClient;
  readonly #events: EventBridgeClient;
  readonly #pipes: PipesClient;
  readonly #rds: RDSClient;
  readonly #scheduler: SchedulerClient;

  constructor(settings: ReturnType<typeof clientSettings>, deployment: Deployment) {
    this.#deployment = deployment;
    this.#cloudwatch = new CloudWatchClient(settings);
    this.#ecs = new ECSClient(settings);
    this.#events = new EventBridgeClient(settings);
    this.#pipes = new PipesClient(settings);
    this.#rds = new RDSClient(settings);
    this.#scheduler = new SchedulerClient(settings);
  }

  #name(part: string): string {
    return deployedName(this.#deployment, part);
  }

  async create(pipes: number): Promise<void> {
    for (const alarm of [this.#name('connector-down'), this.#name('gold-stale'), 'somebody-elses']) {
      await this.#createAlarm(alarm);
    }
    for (const schedule of [...SLEEPERS, ASLEEP_ALL_DAY]) await this.#createSchedule(this.#name(schedule));
    for (const rule of RULES) {
      const Name = this.#name(rule);
      await this.#events.send(new PutRuleCommand({ Name, ScheduleExpression: 'rate(1 minute)' }));
    }
    for (let number = 0; number < pipes; number += 1) {
      await this.#createPipe(this.#pipe(number));
    }
    await this.#createPipe('somebody-elses');
    await this.#createService();
    await this.#rds.send(
      new CreateDBInstanceCommand({
        DBInstanceIdentifier: this.#name('source'),
        DBInstanceClass: 'db.t4g.micro',
        Engine: 'postgres',
        AllocatedStorage: 20,
        MasterUsername: 'master',
        ManageMasterUserPassword: true,
      }),
    );
  }

  #pipe(number: number): string {
    return this.#name(`pipe-table-${String(number).padStart(3, '0')}`);
  }

  /** What a person does: the second alarm is muted, the schedule of maintenance, the second rule and the second pipe are stopped. */
  async stopByHand(): Promise<void> {
    await this.#cloudwatch.send(new DisableAlarmActionsCommand({ AlarmNames: [this.#name('gold-stale')] }));
    await this.#setSchedule('maintenance', 'DISABLED');
    await this.#events.send(new DisableRuleCommand({ Name: this.#name('slot-monitor') }));
    await this.#pipes.send(new StopPipeCommand({ Name: this.#pipe(1) }));
  }

  /** Takes back what `stopByHand` did. */
  async startByHand(): Promise<void> {
    await this.#cloudwatch.send(new EnableAlarmActionsCommand({ AlarmNames: [this.#name('gold-stale')] }));
    await this.#setSchedule('maintenance', 'ENABLED');
    await this.#events.send(new EnableRuleCommand({ Name: this.#name('slot-monitor') }));
    await this.#pipes.send(new StartPipeCommand({ Name: this.#pipe(1) }));
  }

  async #setSchedule(part: (typeof SLEEPERS)[number], State: ScheduleState): Promise<void> {
    const found = await this.#scheduler.send(new GetScheduleCommand({ Name: this.#name(part) }));
    await this.#scheduler.send(
      new UpdateScheduleCommand({
        ...found,
        State,
        Name: found.Name,
        ScheduleExpression: found.ScheduleExpression,
        FlexibleTimeWindow: found.FlexibleTimeWindow,
        Target: found.Target,
      }),
    );
  }

  /** What a deployment does with the pipe of a table that left the registry, and takes back. */
  async removePipe(number: number): Promise<void> {
    await this.#pipes.send(new DeletePipeCommand({ Name: this.#pipe(number) }));
  }

  async restorePipe(number: number): Promise<void> {
    await this.#createPipe(this.#pipe(number));
  }

  async #createAlarm(AlarmName: string): Promise<void> {
    await this.#cloudwatch.send(
      new PutMetricAlarmCommand({
        AlarmName,
        ActionsEnabled: true,
        MetricName: 'ConnectorRunning',
        Namespace: 'test',
        Statistic: 'Minimum',
        Period: 60,
        EvaluationPeriods: 1,
        Threshold: 1,
        ComparisonOperator: 'LessThanThreshold',
      }),
    );
  }

  async #createSchedule(Name: string): Promise<void> {
    await this.#scheduler.send(
      new CreateScheduleCommand({
        Name,
        Description: `Starts ${Name}`,
        ScheduleExpression: 'rate(5 minutes)',
        FlexibleTimeWindow: { Mode: 'OFF' },
        State: 'ENABLED',
        KmsKeyArn: `arn:aws:kms:${REGION}:${ACCOUNT}:key/1`,
        Target: {
          Arn: `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:${Name}`,
          RoleArn: `arn:aws:iam::${ACCOUNT}:role/scheduler`,
          Input: '{"by":"schedule"}',
        },
      }),
    );
  }

  async #createPipe(Name: string): Promise<void> {
    await this.#pipes.send(
      new CreatePipeCommand({
        Name,
        DesiredState: 'RUNNING',
        Source: `arn:aws:kafka:${REGION}:${ACCOUNT}:cluster/k/1`,
        Target: `arn:aws:firehose:${REGION}:${ACCOUNT}:deliverystream/${Name}`,
        RoleArn: `arn:aws:iam::${ACCOUNT}:role/pipe`,
      }),
    );
  }

  async #createService(): Promise<void> {
    const family = this.#name('connect');
    await this.#ecs.send(new CreateClusterCommand({ clusterName: family }));
    await this.#ecs.send(
      new RegisterTaskDefinitionCommand({
        family,
        containerDefinitions: [{ name: 'connect', image: 'connect', memory: 2048 }],
      }),
    );
    await this.#ecs.send(
      new CreateServiceCommand({
        cluster: family,
        serviceName: family,
        taskDefinition: family,
        desiredCount: 1,
      }),
    );
  }

  async state(): Promise<StageState> {
    const { MetricAlarms = [] } = await this.#cloudwatch.send(
      new DescribeAlarmsCommand({ AlarmNamePrefix: this.#name('') }),
    );
    const schedules = await Promise.all(
      SLEEPERS.map((schedule) =>
        this.#scheduler.send(new GetScheduleCommand({ Name: this.#name(schedule) })),
      ),
    );
    const rules = await Promise.all(
      RULES.map((rule) => this.#events.send(new DescribeRuleCommand({ Name: this.#name(rule) }))),
    );
    const { Pipes = [] } = await this.#pipes.send(
      new ListPipesCommand({ NamePrefix: this.#name(''), Limit: 100 }),
    );
    const name = this.#name('connect');
    const { services } = await this.#ecs.send(
      new DescribeServicesCommand({ cluster: name, services: [name] }),
    );
    const { DBInstances } = await this.#rds.send(
      new DescribeDBInstancesCommand({ DBInstanceIdentifier: this.#name('source') }),
    );
    return {
      alarms: MetricAlarms.map(({ ActionsEnabled }) => ActionsEnabled === true),
      schedules: schedules.map(({ State }) => State),
      rules: rules.map(({ State }) => State),
      pipes: Pipes.map(({ DesiredState }) => DesiredState),
      desiredCount: services?.[0]?.desiredCount,
      database: DBInstances?.[0]?.DBInstanceStatus,
    };
  }

  /** A schedule as a whole, without its times. */
  async schedule(part: (typeof SLEEPERS)[number] | typeof ASLEEP_ALL_DAY): Promise<Record<string, unknown>> {
    const found = await this.#scheduler.send(new GetScheduleCommand({ Name: this.#name(part) }));
    const { $metadata, CreationDate, LastModificationDate, ...schedule } = found;
    return schedule;
  }

  /** Those that do not belong to the stage. */
  async others(): Promise<{ pipe: string | undefined; alarm: boolean | undefined }> {
    const { Pipes } = await this.#pipes.send(new ListPipesCommand({ NamePrefix: 'somebody' }));
    const { MetricAlarms } = await this.#cloudwatch.send(
      new DescribeAlarmsCommand({ AlarmNamePrefix: 'somebody' }),
    );
    return { pipe: Pipes?.[0]?.DesiredState, alarm: MetricAlarms?.[0]?.ActionsEnabled };
  }
}
