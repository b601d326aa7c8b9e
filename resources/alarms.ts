import { glueDatabase, TRANSACTION_TABLE } from '../functions/cdc/names.ts';
import { type Alarm, alarmId, alarmResource, SERIES_AN_ALARM, type Series } from './alarm.ts';
import { oslsName } from './function-roles.ts';
import type { StageContext, TemplatePart } from './generated.ts';
import { att, ref } from './intrinsics.ts';
import { logicalId } from './logical-id.ts';
import { PackagingError } from './packaging-error.ts';
import { type Delivery, deliveries } from './pipes.ts';

/** What the alarms need to know of a deployment. */
export type Watched = {
  prefix: string;
  /** Namespace of our own metrics, which is the Glue database's name: `cdc_demo_dev`. */
  namespace: string;
  /** Every topic that is landed. */
  deliveries: Delivery[];
  /** Whether the source is the deployment's own database; of another, AWS's metrics are its owner's. */
  ownDatabase: boolean;
  limits: Limits;
};

/** What differs from stage to stage, above all what is too much; each is a parameter of the same name in serverless.yml. */
type Limits = {
  brokers: number;
  /** Bytes of log that the slot may hold back. */
  slotBudgetBytes: number;
  /** GB that the database begins with. */
  databaseStorageGb: number;
  /** Minutes that a change may take from its commit to the enrichment. */
  landingLagMinutes: number;
  /** Records of one topic that may wait for its pipe. */
  consumerLagRecords: number;
  /** Seconds after which Firehose writes what it has gathered. */
  landingBufferSeconds: number;
  /** Minutes that gold may lack what has landed. */
  goldFreshnessMinutes: number;
  /** Hours without any start of the medallion. */
  runMissingHours: number;
};

const LIMITS = [
  'brokers',
  'slotBudgetBytes',
  'databaseStorageGb',
  'landingLagMinutes',
  'consumerLagRecords',
  'landingBufferSeconds',
  'goldFreshnessMinutes',
  'runMissingHours',
] as const satisfies readonly (keyof Limits)[];

const MINUTE = 60;

/** What should never happen: the first of it within five minutes is told, and no news is good news. */
const EVERY_SINGLE_ONE = {
  combine: 'SUM',
  when: '>=',
  threshold: 1,
  period: 5 * MINUTE,
  periods: 1,
  missing: 'notBreaching',
} as const;

/**
 * The same of what comes with a run. It is over when nothing more of it has come for as long as a run may take to start,
 * so that what fails with every run is told once.
 */
const firstOfManyRuns = ({ runMissingHours }: Limits) =>
  ({ ...EVERY_SINGLE_ONE, outOf: Math.ceil((runMissingHours * HOUR) / (5 * MINUTE)) }) as const;

const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const GIB = 1024 ** 3;

/** A stage that sleeps at weekends has its maintenance on Friday and on Monday. */
const MAINTENANCE_DAYS = 4;

/** RDS lets storage grow by itself below a tenth; less than that for a while means that it does not. */
const FREE_STORAGE_PERCENT = 10;

/** Which functions share an alarm, by what it means when they fail. */
export const FUNCTION_KINDS = {
  enrich: {
    functions: ['enrich'],
    what: 'The enrichment failed. A pipe tries its batch again and again and reads nothing behind it.',
  },
  keepers: {
    functions: ['connector', 'slot-monitor', 'pipe-keeper'],
    what: 'A function that looks after the path before the landing zone failed, so that nobody looks.',
  },
  run: {
    functions: ['preflight', 'gate', 'run-lock'],
    what: 'A function of the state machines failed. After some repetitions the run fails, too.',
  },
  setup: {
    functions: ['source', 'custom-resource', 'events', 'rotate-secret'],
    what: 'A function that sets something up, tears it down or shows it failed.',
  },
} as const;

/** Every alarm of a deployment, from the source to gold. */
export function alarmsOf(watched: Watched): Alarm[] {
  return [
    ...captureAlarms(watched),
    ...(watched.ownDatabase ? databaseAlarms(watched) : []),
    ...kafkaAlarms(watched),
    ...pipeAlarms(watched),
    ...functionAlarms(watched),
    ...deliveryAlarms(watched),
    ...runAlarms(watched),
    ...lakeAlarms(watched),
    ...alertAlarms(),
  ];
}

/** The alarms as resources. @throws PackagingError that names a limit that is no number */
export async function alarms(context: StageContext): Promise<TemplatePart> {
  const runbook = await context.param('runbook');
  const found = alarmsOf(await watchedBy(context));
  return {
    Resources: Object.fromEntries(
      found.map((alarm) => [alarmId(alarm), alarmResource(alarm, context.prefix, runbook)]),
    ),
  };
}

export async function watchedBy(context: StageContext): Promise<Watched> {
  const { prefix, registry } = context;
  const values = await Promise.all(
    LIMITS.map(async (name) => [name, await positive(context, name)] as const),
  );
  return {
    prefix,
    namespace: glueDatabase({ project: registry.project, stage: await context.param('nameStage') }),
    deliveries: deliveries(prefix, registry),
    ownDatabase: (await context.param('database')) === 'own',
    limits: Object.fromEntries(values) as Limits,
  };
}

async function positive(context: StageContext, name: string): Promise<number> {
  const value = await context.param(name);
  if (Number(value) > 0) return Number(value);
  throw new PackagingError(
    `The parameter ${name} of stage ${context.stage} is "${value}"; it must be a number above 0.`,
  );
}

function captureAlarms({ namespace }: Watched): Alarm[] {
  const keeper = (service: string, metric: string, statistic: Series['statistic']): Series[] => [
    { namespace, metric, dimensions: { service }, statistic },
  ];
  return [
    {
      page: 'connector-down',
      what: 'The Debezium connector has not run for 15 minutes, or nobody could ask it: no change is captured, and the source keeps its log for the slot.',
      remedy: "Look at the task's error with `npx cdc connectors --stage <stage>`.",
      series: keeper('connector', 'ConnectorRunning', 'Maximum'),
      when: '<',
      threshold: 1,
      period: 5 * MINUTE,
      periods: 3,
      missing: 'breaching',
    },
    {
      page: 'connector-restarts',
      what: 'The Debezium connector was restarted three times within an hour: it comes up and fails again.',
      remedy: 'Read why in the log of Kafka Connect before it stays down.',
      series: keeper('connector', 'Restarts', 'Sum'),
      when: '>=',
      threshold: 3,
      period: HOUR,
      periods: 1,
      missing: 'notBreaching',
    },
    {
      page: 'slot-budget',
      what: "The replication slot holds back more than half of the log (WAL) that it may: the source's disk is filling up.",
      remedy: 'Get the connector going again, or make room, before the budget is spent.',
      series: keeper('slot-monitor', 'SlotBudgetUsed', 'Maximum'),
      when: '>=',
      // Percent of the budget: early enough to do something about it.
      threshold: 50,
      period: 5 * MINUTE,
      periods: 3,
      missing: 'notBreaching',
    },
    {
      page: 'slot-inactive',
      what: 'Nobody reads the replication slot, or nobody can measure it: the source keeps its log from now on.',
      remedy: 'Look whether the connector runs and the source answers.',
      series: keeper('slot-monitor', 'SlotActive', 'Maximum'),
      when: '<',
      threshold: 1,
      period: 5 * MINUTE,
      periods: 3,
      missing: 'breaching',
    },
    {
      page: 'heartbeat-stale',
      what: "The connector's heartbeat in the source is older than 10 minutes: the slot does not move on although it may look active.",
      remedy:
        'Look whether the connector can write to its table in the source, debezium.<project>_<stage>_heartbeat.',
      series: keeper('slot-monitor', 'HeartbeatAge', 'Maximum'),
      when: '>',
      threshold: 10 * MINUTE,
      period: 5 * MINUTE,
      periods: 2,
      missing: 'notBreaching',
    },
    {
      page: 'connect-memory',
      what: 'Kafka Connect uses more than 90 % of its memory: the task is about to be killed and started again.',
      remedy: 'Look for rows or transactions that became large; give the service more memory.',
      series: [
        {
          namespace: 'AWS/ECS',
          metric: 'MemoryUtilization',
          dimensions: { ClusterName: ref('ConnectCluster'), ServiceName: att('ConnectService', 'Name') },
          statistic: 'Maximum',
        },
      ],
      when: '>',
      threshold: 90,
      period: 5 * MINUTE,
      periods: 3,
      missing: 'notBreaching',
    },
  ];
}

/** https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html */
function databaseAlarms({ limits }: Watched): Alarm[] {
  const ofDatabase = (metric: string, statistic: Series['statistic']): Series[] => [
    { namespace: 'AWS/RDS', metric, dimensions: { DBInstanceIdentifier: ref('Database') }, statistic },
  ];
  return [
    {
      page: 'source-slot-lag',
      what: "By RDS's own measure, some replication slot of the source holds back more than half of the log that ours may.",
      remedy: 'Look which slot it is: `SELECT slot_name, active FROM pg_replication_slots`.',
      series: ofDatabase('OldestReplicationSlotLag', 'Maximum'),
      when: '>',
      threshold: limits.slotBudgetBytes / 2,
      period: 5 * MINUTE,
      periods: 3,
      missing: 'notBreaching',
    },
    {
      page: 'rds-storage',
      what: `The source database has less than ${FREE_STORAGE_PERCENT} % of its first storage left; storage that may grow should have grown by now. A full database stops for everybody.`,
      remedy: 'Find out whether tables or the log (a slot that nobody reads) fill it.',
      series: ofDatabase('FreeStorageSpace', 'Minimum'),
      when: '<',
      threshold: (limits.databaseStorageGb * GIB * FREE_STORAGE_PERCENT) / 100,
      period: 5 * MINUTE,
      periods: 3,
      missing: 'notBreaching',
    },
  ];
}

/** Namespace and dimensions: https://docs.aws.amazon.com/msk/latest/developerguide/metrics-details.html, level DEFAULT. */
function kafkaAlarms({ prefix, limits }: Watched): Alarm[] {
  const ofBrokers = (metric: string): Series[] =>
    Array.from({ length: Math.min(limits.brokers, SERIES_AN_ALARM) }, (_, index) => ({
      namespace: 'AWS/Kafka',
      metric,
      dimensions: { 'Cluster Name': prefix, 'Broker ID': String(index + 1) },
      statistic: 'Maximum',
    }));
  return [
    {
      page: 'msk-disk',
      what: "A Kafka broker's disk is more than 80 % full, although it grows by itself from 60 %. A broker without room stops taking writes.",
      remedy: 'Look whether the disks reached their largest size; raise brokerStorageMaxGb.',
      series: ofBrokers('KafkaDataLogsDiskUsed'),
      when: '>',
      threshold: 80,
      period: 5 * MINUTE,
      periods: 3,
      missing: 'notBreaching',
    },
    {
      page: 'msk-partitions',
      what: 'Kafka has partitions without a leader: they can be neither written nor read.',
      remedy: 'Look at the state of the cluster and its brokers.',
      series: [
        {
          namespace: 'AWS/Kafka',
          metric: 'OfflinePartitionsCount',
          dimensions: { 'Cluster Name': prefix },
          statistic: 'Maximum',
        },
      ],
      when: '>',
      threshold: 0,
      period: 5 * MINUTE,
      periods: 2,
      missing: 'notBreaching',
    },
    {
      page: 'msk-cpu',
      what: "A Kafka broker has worked with more than 60 % of its CPU for half an hour: it has no room for another broker's failure, and MSK refuses updates of an overloaded cluster.",
      remedy: 'Look what writes so much; take larger brokers.',
      // https://docs.aws.amazon.com/msk/latest/developerguide/bestpractices.html#bestpractices-monitor-cpu
      series: ofBrokers('CpuUser'),
      when: '>',
      threshold: 60,
      period: 5 * MINUTE,
      periods: 6,
      missing: 'notBreaching',
    },
  ];
}

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-monitoring.html */
function pipeAlarms({ prefix, namespace, deliveries: all, limits }: Watched): Alarm[] {
  const ofPipe =
    (metric: string) =>
    ({ table }: Delivery): Series => ({
      namespace: 'AWS/EventBridge/Pipes',
      metric,
      dimensions: { PipeName: ref(logicalId('Pipe', table)) },
      statistic: 'Sum',
    });
  const keeper = (metric: string): Series[] => [
    { namespace, metric, dimensions: { service: 'pipe-keeper' }, statistic: 'Maximum' },
  ];
  return [
    ...byTable(all, {
      page: 'pipe-failures',
      what: "A pipe's executions fail: it repeats its batch, and its topic waits.",
      remedy: "Read the error in the pipe's log.",
      of: ofPipe('ExecutionFailed'),
      when: '>=',
      threshold: 1,
      period: 5 * MINUTE,
      periods: 2,
      missing: 'notBreaching',
    }),
    ...byTable(all, {
      page: 'pipe-throttled',
      what: "A pipe's executions are throttled, mostly because the account's Lambda concurrency is used up. Throttling that goes on disables a pipe.",
      remedy: 'Look at the concurrency quota of Lambda.',
      of: ofPipe('ExecutionThrottled'),
      when: '>=',
      threshold: 1,
      period: 5 * MINUTE,
      periods: 3,
      missing: 'notBreaching',
    }),
    {
      page: 'pipe-stopped',
      what: 'A pipe does not run, or nobody could look: its topic is not landed any more.',
      remedy: "Read the pipe's state and its reason; the pipe keeper starts it again once the cause is gone.",
      series: keeper('PipesNotRunning'),
      when: '>=',
      threshold: 1,
      period: 5 * MINUTE,
      periods: 3,
      missing: 'breaching',
    },
    ...byTable(all, {
      page: 'consumer-lag',
      what: `More than ${limits.consumerLagRecords} records of a topic wait for their pipe.`,
      remedy: 'Look whether the pipe runs, and whether the enrichment keeps up.',
      of: ({ topic, group }) => ({
        namespace: 'AWS/Kafka',
        metric: 'SumOffsetLag',
        dimensions: { 'Cluster Name': prefix, 'Consumer Group': group, Topic: topic },
        statistic: 'Maximum',
      }),
      when: '>',
      threshold: limits.consumerLagRecords,
      period: 5 * MINUTE,
      periods: 3,
      missing: 'notBreaching',
    }),
    ...byTable(all, {
      page: 'source-to-landing-lag',
      what: `Changes take more than ${limits.landingLagMinutes} minutes from their commit in the source to the enrichment.`,
      remedy: "Look at the slot's lag first, then at the consumers': the lag is before or behind Kafka.",
      of: ({ table }) => ({
        namespace,
        metric: 'SourceToLandingLag',
        dimensions: { service: 'enrich', table },
        statistic: 'Maximum',
      }),
      when: '>',
      threshold: limits.landingLagMinutes * MINUTE * 1000,
      period: 5 * MINUTE,
      periods: 3,
      missing: 'notBreaching',
    }),
  ];
}

/** https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html */
function functionAlarms({ limits }: Watched): Alarm[] {
  const ofFunction = (name: string, metric: string): Series => ({
    namespace: 'AWS/Lambda',
    metric,
    dimensions: { FunctionName: ref(`${oslsName(name)}LambdaFunction`) },
    statistic: 'Sum',
  });
  const kinds = Object.entries(FUNCTION_KINDS).map(
    ([part, { functions, what }]): Alarm => ({
      page: 'function-errors',
      part,
      what,
      remedy: `Read the error in the log of ${functions.map((name) => `/aws/lambda/...-${name}`).join(', ')}.`,
      series: functions.map((name) => ofFunction(name, 'Errors')),
      // An alarm that is held says nothing of another failure: a rotation that fails is told by this one alone.
      ...(part === 'run' ? firstOfManyRuns(limits) : EVERY_SINGLE_ONE),
    }),
  );
  return [
    ...kinds,
    {
      page: 'enrich-throttled',
      what: "Lambda refuses to run the enrichment as often as the pipes ask: the account's concurrency is used up.",
      remedy: 'Ask for a higher quota of concurrent executions, or find who uses it up.',
      series: [ofFunction('enrich', 'Throttles')],
      when: '>=',
      threshold: 1,
      period: 5 * MINUTE,
      periods: 3,
      missing: 'notBreaching',
    },
  ];
}

/** https://docs.aws.amazon.com/firehose/latest/dev/monitoring-with-cloudwatch-metrics.html */
function deliveryAlarms({ deliveries: all, limits }: Watched): Alarm[] {
  const ofStream =
    (metric: string, statistic: Series['statistic']) =>
    ({ table }: Delivery): Series => ({
      namespace: 'AWS/Firehose',
      metric,
      dimensions: { DeliveryStreamName: ref(logicalId('Stream', table)) },
      statistic,
    });
  const staleAfter = limits.landingBufferSeconds + 10 * MINUTE;
  return [
    ...byTable(all, {
      page: 'firehose-throttled',
      what: 'Firehose refuses records: a stream gets more than its quota.',
      remedy: 'Ask for a higher quota of the stream; the pipe repeats what was refused.',
      of: ofStream('ThrottledRecords', 'Sum'),
      when: '>=',
      threshold: 1,
      period: 5 * MINUTE,
      periods: 2,
      missing: 'notBreaching',
    }),
    ...byTable(all, {
      page: 'firehose-freshness',
      what: `The oldest record in a delivery stream has waited for more than ${staleAfter} seconds. Firehose gives up after 24 hours, and the pipe has moved on.`,
      remedy: "Read the stream's error log and repair what S3 or KMS refuse, today.",
      of: ofStream('DeliveryToS3.DataFreshness', 'Maximum'),
      when: '>',
      threshold: staleAfter,
      period: 5 * MINUTE,
      periods: 2,
      missing: 'notBreaching',
    }),
    ...byTable(all, {
      page: 'firehose-delivery',
      what: 'Firehose could not write to the landing bucket. It repeats for 24 hours, then the records are lost behind the pipe.',
      remedy: "Read the stream's error log and repair what S3 or KMS refuse.",
      of: ofStream('DeliveryToS3.Success', 'Minimum'),
      combine: 'MIN',
      when: '<',
      threshold: 1,
      period: 5 * MINUTE,
      periods: 1,
      missing: 'notBreaching',
    }),
    {
      page: 'landing-silent',
      what: "Not even the heartbeat's transactions, of which there are two a minute, have reached the landing zone for 15 minutes: between source and S3 nothing comes through.",
      remedy: 'Find out how far they come: Kafka, the enrichment, Firehose.',
      series: [
        {
          namespace: 'AWS/Firehose',
          metric: 'DeliveryToS3.Records',
          dimensions: { DeliveryStreamName: ref(logicalId('Stream', TRANSACTION_TABLE)) },
          statistic: 'Sum',
        },
      ],
      when: '<',
      threshold: 1,
      period: 5 * MINUTE,
      periods: 3,
      missing: 'breaching',
    },
  ];
}

/** https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html */
function runAlarms({ limits }: Watched): Alarm[] {
  const ofMachine = (machine: string, metric: string): Series => ({
    namespace: 'AWS/States',
    metric,
    dimensions: { StateMachineArn: ref(machine) },
    statistic: 'Sum',
  });
  const failed = (page: string, machine: string, what: string, remedy: string): Alarm => ({
    page,
    what,
    remedy,
    series: [ofMachine(machine, 'ExecutionsFailed'), ofMachine(machine, 'ExecutionsTimedOut')],
    ...firstOfManyRuns(limits),
  });
  return [
    failed(
      'run-failed',
      'MedallionStateMachine',
      'A run of the medallion failed. What was published before is as it was; the next run takes up what is left.',
      'Read the alert that the run sent, which says what broke.',
    ),
    {
      page: 'run-missing',
      what: `No run of the medallion has started for ${limits.runMissingHours} hours.`,
      remedy: 'Look whether the schedule is on, and into its dead letters.',
      series: [ofMachine('MedallionStateMachine', 'ExecutionsStarted')],
      when: '<',
      threshold: 1,
      period: HOUR,
      periods: limits.runMissingHours,
      missing: 'breaching',
    },
    failed(
      'maintenance-failed',
      'MaintenanceStateMachine',
      'Maintenance failed: files and snapshots of the lake pile up, queries become slow and storage dear.',
      'Read the alert that it sent; run it again with `npx cdc maintain --stage <stage>`.',
    ),
    {
      page: 'maintenance-missing',
      what: `No maintenance has succeeded for ${MAINTENANCE_DAYS} days: files and snapshots of the lake pile up.`,
      remedy: 'Look whether its schedule is on and whether runs leave it the lock.',
      series: [ofMachine('MaintenanceStateMachine', 'ExecutionsSucceeded')],
      when: '<',
      threshold: 1,
      period: DAY,
      periods: MAINTENANCE_DAYS,
      missing: 'breaching',
    },
    failed(
      'backfill-failed',
      'BackfillStateMachine',
      'A backfill failed: a table that was to be read again from the source may be read in part.',
      'Read the alert that it sent, then ask for it again: a backfill may be repeated.',
    ),
    failed(
      'cost-guard-failed',
      'CostGuardStateMachine',
      'Pausing or resuming the deployment failed on its way: part of it may be asleep.',
      'Read the alert that it sent, then start it again: it does what is left.',
    ),
    {
      page: 'schedule-dead-letters',
      what: 'A schedule could not start its state machine or function.',
      remedy: 'Read the message in the queue of dead letters: it says which and why.',
      series: [
        {
          namespace: 'AWS/SQS',
          metric: 'ApproximateNumberOfMessagesVisible',
          dimensions: { QueueName: att('ScheduleDeadLetters', 'QueueName') },
          statistic: 'Maximum',
        },
      ],
      when: '>=',
      threshold: 1,
      period: 5 * MINUTE,
      periods: 1,
      missing: 'notBreaching',
    },
  ];
}

function lakeAlarms({ namespace, limits }: Watched): Alarm[] {
  const ofGate = (layer: string, metric: string, statistic: Series['statistic']): Series => ({
    namespace,
    metric,
    dimensions: { service: 'gate', layer },
    statistic,
  });
  return [
    {
      page: 'offset-gaps',
      what: 'Offsets have been missing in the landing zone for more than an hour: changes of their tables are held back behind the gap.',
      remedy:
        'Look whether Firehose still delivers; if not, replay the offsets from Kafka while it has them.',
      series: [ofGate('bronze', 'LandingGapAge', 'Maximum')],
      when: '>=',
      threshold: HOUR,
      period: 5 * MINUTE,
      periods: 1,
      missing: 'ignore',
    },
    {
      page: 'quarantine',
      what: 'Records or files could not be understood and went to quarantine; their rows are flagged in silver.',
      remedy: 'Read the reasons in the table ..._quarantine.',
      series: [ofGate('bronze', 'Quarantined', 'Sum')],
      ...firstOfManyRuns(limits),
    },
    ...(['bronze', 'silver', 'gold'] as const).map(
      (layer): Alarm => ({
        page: 'gate-failed',
        part: layer,
        what: `The quality gate of ${layer} failed: tables are held back and keep their last sound state.`,
        remedy: "Read the run's alert for table, check and value.",
        series: [ofGate(layer, 'GateFailed', 'Maximum')],
        when: '>=',
        threshold: 1,
        period: 5 * MINUTE,
        periods: 1,
        missing: 'ignore',
      }),
    ),
    {
      page: 'gold-freshness',
      what: `Gold has lacked something that landed for more than ${limits.goldFreshnessMinutes} minutes.`,
      remedy: 'Look at the last runs: do they fail, hold models back, or not keep up?',
      series: [{ namespace, metric: 'GoldAge', dimensions: { service: 'preflight' }, statistic: 'Maximum' }],
      when: '>',
      threshold: limits.goldFreshnessMinutes * MINUTE,
      period: 5 * MINUTE,
      periods: 1,
      missing: 'ignore',
    },
  ];
}

/** https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html */
function alertAlarms(): Alarm[] {
  return [
    {
      page: 'alerts-undelivered',
      what: 'Alerts could not be delivered to one of their receivers.',
      remedy: "Look at the topic's subscriptions and the key's policy; read the queue of alerts meanwhile.",
      series: [
        {
          namespace: 'AWS/SNS',
          metric: 'NumberOfNotificationsFailed',
          dimensions: { TopicName: att('AlertTopic', 'TopicName') },
          statistic: 'Sum',
        },
      ],
      when: '>=',
      threshold: 1,
      period: 5 * MINUTE,
      periods: 1,
      missing: 'notBreaching',
    },
  ];
}

/** An alarm for every ten tables, since that many metrics go into one; the description names them. */
function byTable(
  all: readonly Delivery[],
  { of, ...alarm }: Omit<Alarm, 'series' | 'part'> & { of: (delivery: Delivery) => Series },
): Alarm[] {
  const groups = Array.from({ length: Math.ceil(all.length / SERIES_AN_ALARM) }, (_, index) =>
    all.slice(index * SERIES_AN_ALARM, (index + 1) * SERIES_AN_ALARM),
  );
  return groups.map((group, index) => ({
    ...alarm,
    // The first has no number, so that it stays the same alarm when there are more tables.
    ...(index > 0 && { part: String(index + 1) }),
    what: `${alarm.what} One of: ${someOf(group.map(({ table }) => table))}.`,
    series: group.map(of),
  }));
}

/** Characters of a list of tables in a description. */
const LIST_LENGTH = 400;

/** As many names as fit. */
function someOf(names: string[]): string {
  const shown = names.filter((_, index) => names.slice(0, index + 1).join(', ').length <= LIST_LENGTH);
  const left = names.length - shown.length;
  return `${shown.join(', ')}${left > 0 ? ` and ${left} more` : ''}`;
}
