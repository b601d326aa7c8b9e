import { type CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';

const PERIOD_S = 60;
/** Amazon MSK reports a group's lag every minute, some minutes late. */
const LOOK_BACK_MS = 15 * 60 * 1000;

/** Records of one topic that wait for their consumer group. */
export type Lag = { topic: string; records: number };

/**
 * The topic with the most records that wait, by what Amazon MSK last reported of the cluster's consumer groups, which are
 * its pipes'; null when it reported nothing, as of a cluster nobody has read from yet.
 */
export async function largestLag(client: CloudWatchClient, cluster: string, now: Date): Promise<Lag | null> {
  const search = `SEARCH('{AWS/Kafka,"Cluster Name","Consumer Group","Topic"} MetricName="SumOffsetLag" "Cluster Name"="${cluster}"', 'Maximum', ${PERIOD_S})`;
  const { MetricDataResults } = await client.send(
    new GetMetricDataCommand({
      MetricDataQueries: [{ Id: 'lag', Expression: search, Label: `\${PROP('Dim.Topic')}` }],
      StartTime: new Date(now.getTime() - LOOK_BACK_MS),
      EndTime: now,
      ScanBy: 'TimestampDescending',
    }),
  );
  const lags = (MetricDataResults ?? []).flatMap(({ Label = '', Values = [] }) =>
    Values[0] === undefined ? [] : [{ topic: Label, records: Values[0] }],
  );
  return lags.reduce<Lag | null>((most, lag) => (most && most.records >= lag.records ? most : lag), null);
}
