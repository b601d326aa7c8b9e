import { type Alarm, alarmName } from './alarm.ts';
import { alarmsOf, type Watched, watchedBy } from './alarms.ts';
import { oslsName } from './function-roles.ts';
import type { StageContext, TemplatePart } from './generated.ts';
import { sub } from './intrinsics.ts';

/** Columns that the console's grid has (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html). */
const GRID_COLUMNS = 24;
const GRAPHS_A_ROW = 4;
const GRAPH_HEIGHT = 5;
const HEADING_HEIGHT = 1;

/** A graph. `lines` are CloudWatch's: a metric as an array, or `[{expression}]`. */
type Graph = { title: string; lines: unknown[]; statistic?: string; period?: number; global?: boolean };

/** A stretch of the path, told from left to right. */
type Band = { heading: string; graphs: Graph[] };

type Widget = { x: number; y: number; width: number; height: number; type: string; properties: object };

/**
 * The dashboard: what is wrong first, then the path of a change from left to right and from above to below. What there
 * is for each table is found by SEARCH, so that the dashboard does not grow with the tables.
 */
export async function dashboard(context: StageContext): Promise<TemplatePart> {
  const watched = await watchedBy(context);
  return {
    Resources: {
      Dashboard: {
        Type: 'AWS::CloudWatch::Dashboard',
        Properties: {
          DashboardName: context.prefix,
          DashboardBody: sub(JSON.stringify(dashboardBody(watched, alarmsOf(watched)))),
        },
      },
    },
  };
}

/** The body, with CloudFormation's placeholders in it. */
export function dashboardBody(watched: Watched, alarms: readonly Alarm[]): { widgets: Widget[] } {
  const status: Widget = {
    x: 0,
    y: 0,
    width: GRID_COLUMNS,
    height: GRAPH_HEIGHT,
    type: 'alarm',
    properties: {
      title: `${watched.prefix}: alarms (docs/runbook says what to do)`,
      sortBy: 'stateUpdatedTimestamp',
      alarms: alarms.map(
        (alarm) =>
          `arn:\${AWS::Partition}:cloudwatch:\${AWS::Region}:\${AWS::AccountId}:alarm:${watched.prefix}-${alarmName(alarm)}`,
      ),
    },
  };
  const widgets = [status];
  for (const band of bandsOf(watched)) widgets.push(...laidOut(band, bottomOf(widgets)));
  return { widgets };
}

function bandsOf({ prefix, namespace, ownDatabase }: Watched): Band[] {
  /** One of our own metrics. `dimensions`: those behind `service`. */
  const own = (service: string, metric: string, dimensions: Record<string, string> = {}, look = {}) => [
    namespace,
    metric,
    'service',
    service,
    ...Object.entries(dimensions).flat(),
    look,
  ];
  const layers = (metric: string) =>
    ['bronze', 'silver', 'gold'].map((layer) => own('gate', metric, { layer }, { label: layer }));
  const tables = (service: string, metric: string, statistic: string) =>
    search(`{${namespace},service,table} service="${service}" MetricName="${metric}"`, statistic);
  const pipes = (metric: string) =>
    search(
      `{AWS/EventBridge/Pipes,PipeName} ${beginsLike('PipeName', prefix)} MetricName="${metric}"`,
      'Sum',
    );
  const streams = (metric: string, statistic: string) =>
    search(
      `{AWS/Firehose,DeliveryStreamName} ${beginsLike('DeliveryStreamName', prefix)} MetricName="${metric}"`,
      statistic,
    );
  const machine = (id: string, metric: string, label: string) => [
    'AWS/States',
    metric,
    'StateMachineArn',
    `\${${id}}`,
    { label },
  ];
  const lambda = (metric: string, label: string) => [
    'AWS/Lambda',
    metric,
    'FunctionName',
    `\${${oslsName('enrich')}LambdaFunction}`,
    { label },
  ];
  return [
    {
      heading: 'Capture: source, slot, connector, Kafka',
      graphs: [
        {
          title: 'Slot: share of its budget (%)',
          lines: [own('slot-monitor', 'SlotBudgetUsed')],
          statistic: 'Maximum',
        },
        {
          title: 'Source: log held back, log on disk, free storage (bytes)',
          lines: [
            own('slot-monitor', 'SlotLagBytes', {}, { label: 'held back by the slot' }),
            ...(ownDatabase
              ? [
                  database('TransactionLogsDiskUsage', 'log on disk'),
                  database('FreeStorageSpace', 'free storage'),
                ]
              : []),
          ],
          statistic: 'Maximum',
        },
        {
          title: 'Connector: runs, restarts, failed tasks',
          lines: [
            own('connector', 'ConnectorRunning', {}, { stat: 'Minimum', label: 'runs' }),
            own('connector', 'Restarts', {}, { stat: 'Sum', label: 'restarts' }),
            own('connector', 'FailedTasks', {}, { stat: 'Maximum', label: 'failed tasks' }),
          ],
        },
        {
          title: 'Kafka: bytes in per second',
          lines: [
            search(
              `{AWS/Kafka,"Broker ID","Cluster Name"} "Cluster Name"="${prefix}" MetricName="BytesInPerSec"`,
              'Average',
            ),
          ],
        },
        {
          title: 'Heartbeat in the source (seconds ago)',
          lines: [own('slot-monitor', 'HeartbeatAge')],
          statistic: 'Maximum',
        },
        {
          title: 'Kafka Connect: memory and CPU (%)',
          lines: [connect('MemoryUtilization', 'memory'), connect('CPUUtilization', 'CPU')],
          statistic: 'Maximum',
        },
        {
          title: 'Kafka: disk used (%)',
          lines: [
            search(
              `{AWS/Kafka,"Broker ID","Cluster Name"} "Cluster Name"="${prefix}" MetricName="KafkaDataLogsDiskUsed"`,
              'Maximum',
            ),
          ],
        },
        {
          title: 'Records that wait for their pipe, by topic',
          lines: [
            search(
              `{AWS/Kafka,"Cluster Name","Consumer Group",Topic} "Cluster Name"="${prefix}" MetricName="SumOffsetLag"`,
              'Maximum',
            ),
          ],
        },
      ],
    },
    {
      heading: 'Landing: pipes, enrichment, Firehose',
      graphs: [
        { title: 'Pipes: failed executions', lines: [pipes('ExecutionFailed')] },
        {
          title: 'Enrichment: calls, errors, throttles',
          lines: [
            lambda('Invocations', 'calls'),
            lambda('Errors', 'errors'),
            lambda('Throttles', 'throttles'),
          ],
          statistic: 'Sum',
        },
        { title: 'Records, by table', lines: [tables('enrich', 'Records', 'Sum')] },
        {
          title: 'Firehose: age of the oldest record (s)',
          lines: [streams('DeliveryToS3.DataFreshness', 'Maximum')],
        },
        {
          title: 'Pipes that do not run, are paused, were restarted',
          lines: [
            own('pipe-keeper', 'PipesNotRunning', {}, { stat: 'Maximum', label: 'do not run' }),
            own('pipe-keeper', 'PipesPaused', {}, { stat: 'Maximum', label: 'paused' }),
            own('pipe-keeper', 'PipesRestarted', {}, { stat: 'Sum', label: 'restarted' }),
          ],
        },
        {
          title: 'Commit to enrichment, by table (ms)',
          lines: [tables('enrich', 'SourceToLandingLag', 'Maximum')],
        },
        {
          title: 'Quarantined records, by table and reason',
          lines: [
            search(
              `{${namespace},reason,service,table} service="enrich" MetricName="QuarantinedRecords"`,
              'Sum',
            ),
          ],
        },
        { title: 'Firehose: refused records', lines: [streams('ThrottledRecords', 'Sum')] },
      ],
    },
    {
      heading: 'Lake: runs, bronze, silver, gold, cost',
      graphs: [
        {
          title: 'Runs: started, succeeded, failed',
          lines: [
            machine('MedallionStateMachine', 'ExecutionsStarted', 'started'),
            machine('MedallionStateMachine', 'ExecutionsSucceeded', 'succeeded'),
            machine('MedallionStateMachine', 'ExecutionsFailed', 'failed'),
          ],
          statistic: 'Sum',
        },
        { title: 'Rows out, by layer', lines: layers('RowsOut'), statistic: 'Sum' },
        {
          title: 'Duration of the jobs, by layer (ms)',
          lines: layers('LayerDuration'),
          statistic: 'Maximum',
        },
        {
          title: 'What gold lacks: age (s)',
          lines: [own('preflight', 'GoldAge')],
          statistic: 'Maximum',
        },
        {
          title: 'Gaps in the offsets: number, age (s)',
          lines: [
            own('gate', 'LandingGaps', { layer: 'bronze' }, { label: 'gaps' }),
            own('gate', 'LandingGapAge', { layer: 'bronze' }, { label: 'age', yAxis: 'right' }),
          ],
          statistic: 'Maximum',
        },
        {
          title: 'Held back, by table',
          lines: [
            search(`{${namespace},layer,service,table} service="gate" MetricName="TablesHeld"`, 'Maximum'),
          ],
        },
        {
          title: 'Other machines: failed',
          lines: [
            machine('MaintenanceStateMachine', 'ExecutionsFailed', 'maintenance'),
            machine('BackfillStateMachine', 'ExecutionsFailed', 'backfill'),
          ],
          statistic: 'Sum',
        },
        {
          // AWS publishes it when the account asks for billing alerts, a few times a day, in us-east-1 only.
          title: 'Account: cost of the month so far (USD)',
          lines: [['AWS/Billing', 'EstimatedCharges', 'Currency', 'USD']],
          statistic: 'Maximum',
          period: 21_600,
          global: true,
        },
      ],
    },
  ];
}

function database(metric: string, label: string): unknown[] {
  return ['AWS/RDS', metric, 'DBInstanceIdentifier', `\${Database}`, { label }];
}

function connect(metric: string, label: string): unknown[] {
  return [
    'AWS/ECS',
    metric,
    'ClusterName',
    `\${ConnectCluster}`,
    'ServiceName',
    `\${ConnectService.Name}`,
    { label },
  ];
}

/** Every metric that matches (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html). */
function search(terms: string, statistic: string): unknown[] {
  return [{ expression: `SEARCH('${terms}', '${statistic}')` }];
}

/** Names with all the words of a prefix: a search knows whole names and words, no beginnings. */
function beginsLike(dimension: string, prefix: string): string {
  return prefix
    .split('-')
    .map((word) => `${dimension}=${word}`)
    .join(' ');
}

function laidOut({ heading, graphs }: Band, top: number): Widget[] {
  const width = GRID_COLUMNS / GRAPHS_A_ROW;
  const title: Widget = {
    x: 0,
    y: top,
    width: GRID_COLUMNS,
    height: HEADING_HEIGHT,
    type: 'text',
    properties: { markdown: `## ${heading}`, background: 'transparent' },
  };
  const rows = graphs.map(
    (graph, index): Widget => ({
      x: (index % GRAPHS_A_ROW) * width,
      y: top + HEADING_HEIGHT + Math.floor(index / GRAPHS_A_ROW) * GRAPH_HEIGHT,
      width,
      height: GRAPH_HEIGHT,
      type: 'metric',
      properties: graphProperties(graph),
    }),
  );
  return [title, ...rows];
}

function graphProperties({ title, lines, statistic, period = 300, global = false }: Graph): object {
  return {
    title,
    view: 'timeSeries',
    region: global ? 'us-east-1' : `\${AWS::Region}`,
    metrics: lines,
    period,
    ...(statistic !== undefined && { stat: statistic }),
    yAxis: { left: { min: 0 } },
  };
}

function bottomOf(widgets: readonly Widget[]): number {
  return Math.max(...widgets.map(({ y, height }) => y + height));
}
