/** How a stage stands, from CloudFormation, its services, CloudWatch, and the lake's newest reports. */
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import {
  CloudWatchClient,
  GetMetricDataCommand,
  type MetricAlarm,
  paginateDescribeAlarms,
} from '@aws-sdk/client-cloudwatch';
import { DescribeServicesCommand, ECSClient } from '@aws-sdk/client-ecs';
import { DescribeDeliveryStreamCommand, FirehoseClient } from '@aws-sdk/client-firehose';
import { DescribeClusterV2Command, KafkaClient } from '@aws-sdk/client-kafka';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { DescribePipeCommand, PipesClient } from '@aws-sdk/client-pipes';
import { DescribeDBInstancesCommand, RDSClient } from '@aws-sdk/client-rds';
import { S3Client } from '@aws-sdk/client-s3';
import type { Registry } from '../../functions/cdc/registry.ts';
import type { PartitionReport } from '../../functions/cdc/report.ts';
import { type Delivery, deliveries } from '../../resources/pipes.ts';
import { inLake, type LayerReports, layersOf, modelsOf, readLatestReports } from '../lake-status.ts';
import type { AlarmStatus, PartStatus, SlotStatus, Status, TableStatus } from '../world.ts';
import { firstLine, isNotFound } from './errors.ts';
import { invoke } from './invoke.ts';
import type { Place } from './place.ts';
import { physicalId, readStack, type Stack } from './stack.ts';
import type { ConnectorAnswer } from './stage-world.ts';

/** Kafka's consumer lag is a metric a minute; a few may be late. */
const LAG_WINDOW_MS = 15 * 60_000;
/** Firehose allows five descriptions a second (Firehose quotas). */
const AT_ONCE = 4;

/** What the slot monitor answers, as far as it is shown. */
type SlotAnswer = { measures: { SlotLagBytes?: number }; problem: string | null };

/** Reads everything that can be read now; what does not answer is null. @throws StageError when there is no stack */
export async function readStageStatus(place: Place, registry: Registry): Promise<Status> {
  const stack = await readStack(new CloudFormationClient(place.settings), place);
  const lambda = new LambdaClient(place.settings);
  const landed = deliveries(place.name(), registry);
  const [parts, reports, connector, slot, pipes, lags, alarms] = await Promise.all([
    readParts(place, stack),
    readLatestReports(new S3Client(place.settings), physicalId(stack, 'LandingBucket')),
    invoke<ConnectorAnswer>(lambda, place, 'connector', { action: 'status' }).then(
      ({ condition }) => condition,
      () => null,
    ),
    invoke<SlotAnswer>(lambda, place, 'slot-monitor', {}).catch(() => null),
    readPipes(place, landed),
    readLags(place, stack, landed),
    readAlarms(new CloudWatchClient(place.settings), place.name()),
  ]);
  return {
    place: `stage ${place.stage} (${place.region}, account ${place.account})`,
    parts: [...parts, ...pipeParts(landed, pipes)],
    addresses: stack.outputs,
    connector,
    slot: slotOf(slot),
    tables: registry.tables.map(({ id, topic }) => ({
      table: id,
      source_rows: null,
      pipe: pipes.get(id) ?? null,
      lag: lags.get(id) ?? null,
      landed: landedRecords(reports, topic),
      ...inLake(id, reports),
    })),
    models: modelsOf(reports),
    layers: layersOf(reports),
    alarms,
  };
}

function slotOf(answer: SlotAnswer | null): SlotStatus | null {
  if (answer === null) return null;
  const { measures, problem } = answer;
  return { confirmed_lsn: null, behind_bytes: measures.SlotLagBytes?.toString() ?? null, problem };
}

/** Records of a topic that bronze has seen in the landing zone: offsets begin at 0. */
function landedRecords({ bronze }: LayerReports, topic: string): TableStatus['landed'] {
  const own = (bronze?.partitions ?? []).filter((partition: PartitionReport) => partition.topic === topic);
  if (own.length === 0) return null;
  return own.reduce((sum, { highest }) => sum + (highest === null ? 0 : Number(highest) + 1), 0);
}

/** The stack, the broker, the connector's service and the source. What can't be read is said, and is not ok. */
async function readParts(place: Place, stack: Stack): Promise<PartStatus[]> {
  const { settings } = place;
  const resource = (logicalId: string) => stack.resources.get(logicalId)?.physicalId;
  const [cluster, service, database] = ['KafkaCluster', 'ConnectService', 'Database'].map(resource);
  const parts: Promise<PartStatus>[] = [Promise.resolve(stackPart(stack))];
  if (cluster) parts.push(seen('Kafka', () => kafkaPart(new KafkaClient(settings), cluster)));
  if (service) parts.push(seen('Kafka Connect', () => connectPart(new ECSClient(settings), service)));
  if (database) parts.push(seen('source database', () => databasePart(new RDSClient(settings), database)));
  return Promise.all(parts);
}

function stackPart({ name, status, reason, changedAt }: Stack): PartStatus {
  const ok = /^(CREATE|UPDATE|IMPORT)_COMPLETE$/.test(status);
  return { part: 'stack', state: status, ok, since: changedAt.toISOString(), detail: reason ?? name };
}

async function seen(
  part: string,
  read: () => Promise<Pick<PartStatus, 'state' | 'ok' | 'since' | 'detail'>>,
): Promise<PartStatus> {
  try {
    return { part, ...(await read()) };
  } catch (error) {
    const state = isNotFound(error) ? 'missing' : 'unknown';
    return { part, state, ok: false, since: null, detail: firstLine(error) };
  }
}

async function kafkaPart(kafka: KafkaClient, arn: string) {
  const { ClusterInfo: cluster } = await kafka.send(new DescribeClusterV2Command({ ClusterArn: arn }));
  const brokers = cluster?.Provisioned?.NumberOfBrokerNodes;
  const version = cluster?.Provisioned?.CurrentBrokerSoftwareInfo?.KafkaVersion;
  const detail = cluster?.StateInfo?.Message ?? `${brokers ?? '?'} brokers, Kafka ${version ?? '?'}`;
  const state = cluster?.State ?? 'unknown';
  // While it is updated or healed it serves on.
  const ok = ['ACTIVE', 'UPDATING', 'HEALING', 'MAINTENANCE', 'REBOOTING_BROKER'].includes(state);
  return { state, ok, since: null, detail };
}

/** A service's ARN ends `service/<cluster>/<service>`. */
async function connectPart(ecs: ECSClient, arn: string) {
  const cluster = arn.split('/').at(-2) as string;
  const { services } = await ecs.send(new DescribeServicesCommand({ cluster, services: [arn] }));
  const service = services?.[0];
  const { runningCount = 0, desiredCount = 0, createdAt } = service ?? {};
  const rollout = service?.deployments?.find(({ status }) => status === 'PRIMARY');
  const detail = `${runningCount} of ${desiredCount} tasks${rollout?.rolloutState ? `, rollout ${rollout.rolloutState}` : ''}`;
  return {
    state: service?.status ?? 'missing',
    ok: desiredCount > 0 && runningCount >= desiredCount,
    since: (rollout?.createdAt ?? createdAt)?.toISOString() ?? null,
    detail:
      desiredCount === 0 ? `${detail}: scaled to 0 (cost-guard, or by hand), nothing is captured` : detail,
  };
}

async function databasePart(rds: RDSClient, id: string) {
  const { DBInstances } = await rds.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: id }));
  const database = DBInstances?.[0];
  const state = database?.DBInstanceStatus ?? 'missing';
  const down = /^(stopp|fail|delet|inaccessible|incompatible|storage-full|missing)/.test(state);
  const detail = `PostgreSQL ${database?.EngineVersion ?? '?'} at ${database?.Endpoint?.Address ?? '?'}`;
  return { state, ok: !down, since: null, detail };
}

/** `running`, or what is wrong, by table id. */
async function readPipes(
  { settings }: Place,
  landed: readonly Delivery[],
): Promise<ReadonlyMap<string, string>> {
  const pipes = new PipesClient(settings);
  const firehose = new FirehoseClient(settings);
  const words = new Map<string, string>();
  const queue = [...landed];
  const work = async () => {
    for (let delivery = queue.shift(); delivery; delivery = queue.shift()) {
      words.set(delivery.table, await pipeWord(pipes, firehose, delivery));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return words;
}

async function pipeWord(
  pipes: PipesClient,
  firehose: FirehoseClient,
  { pipe, stream }: Delivery,
): Promise<string> {
  try {
    const { CurrentState, StateReason } = await pipes.send(new DescribePipeCommand({ Name: pipe }));
    if (CurrentState !== 'RUNNING') return `pipe ${CurrentState}${StateReason ? `: ${StateReason}` : ''}`;
    const { DeliveryStreamDescription: delivery } = await firehose.send(
      new DescribeDeliveryStreamCommand({ DeliveryStreamName: stream }),
    );
    const state = delivery?.DeliveryStreamStatus;
    return state === 'ACTIVE' ? 'running' : `stream ${state}`;
  } catch (error) {
    return isNotFound(error) ? 'missing' : `unknown: ${(error as Error).name}`;
  }
}

/** Pipes and streams in one line; those that don't run are named. */
function pipeParts(landed: readonly Delivery[], words: ReadonlyMap<string, string>): PartStatus[] {
  const wrong = landed.filter(({ table }) => words.get(table) !== 'running');
  const running = landed.length - wrong.length;
  return [
    {
      part: 'pipes and streams',
      state: wrong.length === 0 ? 'running' : `${running} of ${landed.length} running`,
      ok: wrong.length === 0,
      since: null,
      detail:
        wrong.map(({ table }) => `${table}: ${words.get(table)}`).join('; ') ||
        `${landed.length} tables land`,
    },
  ];
}

/** Kafka's records that a pipe has not committed, by table id; empty where CloudWatch says nothing. */
async function readLags(
  { settings }: Place,
  stack: Stack,
  landed: readonly Delivery[],
): Promise<ReadonlyMap<string, number>> {
  const cluster = stack.resources.get('KafkaCluster')?.physicalId.split('/').at(-2);
  if (cluster === undefined || landed.length === 0) return new Map();
  const cloudWatch = new CloudWatchClient(settings);
  const now = Date.now();
  const { MetricDataResults } = await cloudWatch.send(
    new GetMetricDataCommand({
      StartTime: new Date(now - LAG_WINDOW_MS),
      EndTime: new Date(now),
      ScanBy: 'TimestampDescending',
      MetricDataQueries: landed.map(({ topic, group }, i) => ({
        Id: `lag${i}`,
        MetricStat: {
          // https://docs.aws.amazon.com/msk/latest/developerguide/consumer-lag.html
          Metric: {
            Namespace: 'AWS/Kafka',
            MetricName: 'SumOffsetLag',
            Dimensions: [
              { Name: 'Cluster Name', Value: cluster },
              { Name: 'Consumer Group', Value: group },
              { Name: 'Topic', Value: topic },
            ],
          },
          Period: 60,
          Stat: 'Maximum',
        },
      })),
    }),
  );
  const found = (MetricDataResults ?? []).map(({ Id, Values }) => {
    const delivery = landed[Number(Id?.replace('lag', ''))];
    return [delivery?.table ?? '', Values?.[0]] as const;
  });
  return new Map(found.filter((entry): entry is [string, number] => entry[1] !== undefined));
}

async function readAlarms(cloudWatch: CloudWatchClient, prefix: string): Promise<AlarmStatus[]> {
  const on: AlarmStatus[] = [];
  const asked = { AlarmNamePrefix: `${prefix}-`, StateValue: 'ALARM' as const };
  for await (const { MetricAlarms, CompositeAlarms } of paginateDescribeAlarms(
    { client: cloudWatch },
    asked,
  )) {
    const alarms = [...(MetricAlarms ?? []), ...(CompositeAlarms ?? [])];
    on.push(...alarms.filter(({ StateValue }) => StateValue === 'ALARM').map(alarmOf));
  }
  return on;
}

function alarmOf(
  alarm: Pick<MetricAlarm, 'AlarmName' | 'AlarmDescription' | 'StateReason' | 'StateUpdatedTimestamp'>,
): AlarmStatus {
  return {
    alarm: alarm.AlarmName ?? '',
    since: (alarm.StateUpdatedTimestamp ?? new Date(0)).toISOString(),
    reason: alarm.StateReason ?? '',
    what_to_do: alarm.AlarmDescription ?? '',
  };
}
