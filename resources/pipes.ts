import { createHash } from 'node:crypto';
import { lakeName, landingRoot, TRANSACTION_TABLE, topicOf } from '../functions/cdc/names.ts';
import type { Registry } from '../functions/cdc/registry.ts';
import type { Resource, StageContext, TemplatePart } from './generated.ts';
import { att, ref } from './intrinsics.ts';
import { logicalId } from './logical-id.ts';

/**
 * Records that a pipe takes at once. An enrichment answers at most one pack a record, and a Firehose target takes 500 in
 * one call (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html).
 */
export const PIPE_BATCH_RECORDS = 500;

/** Characters that a pipe's and a delivery stream's name may have. */
const NAME_LENGTH = 64;

/** How one table's changes get from Kafka to the landing zone. */
export type Delivery = {
  /** `public.orders`, or `debezium.transaction` for the transaction metadata. */
  table: string;
  topic: string;
  /** Consumer group of the pipe: fixed, so that a pipe that is made anew goes on where the old one was. */
  group: string;
  pipe: string;
  stream: string;
};

/** Every topic that is landed: each captured table's, and the transaction metadata's. */
export function deliveries(prefix: string, registry: Pick<Registry, 'tables'>): Delivery[] {
  return [...registry.tables.map(({ id }) => id), TRANSACTION_TABLE].map((table) => {
    const part = lakeName(table).replaceAll('_', '-');
    return {
      table,
      topic: topicOf(table),
      group: `${prefix}-pipe-${part}`,
      pipe: fitting(`${prefix}-${part}`),
      stream: fitting(`${prefix}-${part}`),
    };
  });
}

/** A pipe and a delivery stream for each topic. What they share stands in pipes.yml. */
export async function pipes(context: StageContext): Promise<TemplatePart> {
  const sizes = {
    window: Number(await context.param('pipeWindowSeconds')),
    bufferSeconds: Number(await context.param('landingBufferSeconds')),
    bufferMiB: Number(await context.param('landingBufferMiB')),
  };
  const resources = deliveries(context.prefix, context.registry).flatMap((delivery) => [
    [logicalId('Stream', delivery.table), stream(delivery, sizes)] as const,
    [logicalId('Pipe', delivery.table), pipe(delivery, sizes)] as const,
  ]);
  return { Resources: Object.fromEntries(resources) };
}

function pipe({ table, topic, group, pipe: name }: Delivery, { window }: { window: number }): Resource {
  return {
    Type: 'AWS::Pipes::Pipe',
    // A pipe without its topic, or without a way to AWS's APIs from the brokers' subnets, ends in CREATE_FAILED.
    DependsOn: [logicalId('Topic', table), 'NetworkReady'],
    Properties: {
      Name: name,
      Description: `${topic} to the landing zone of ${table}`,
      RoleArn: att('PipeRole'),
      DesiredState: 'RUNNING',
      // Without credentials a pipe signs in with its role.
      Source: att('KafkaCluster'),
      SourceParameters: {
        ManagedStreamingKafkaParameters: {
          TopicName: topic,
          ConsumerGroupID: group,
          StartingPosition: 'TRIM_HORIZON',
          BatchSize: PIPE_BATCH_RECORDS,
          MaximumBatchingWindowInSeconds: window,
        },
      },
      Enrichment: att('EnrichLambdaFunction'),
      Target: att(logicalId('Stream', table)),
      // No execution data: it would put row values into the log.
      LogConfiguration: {
        Level: 'ERROR',
        CloudwatchLogsLogDestination: { LogGroupArn: att('PipeLogGroup') },
      },
      KmsKeyIdentifier: att('DataKey'),
    },
  };
}

function stream(
  { table, stream: name }: Delivery,
  { bufferSeconds, bufferMiB }: { bufferSeconds: number; bufferMiB: number },
): Resource {
  return {
    Type: 'AWS::KinesisFirehose::DeliveryStream',
    Properties: {
      DeliveryStreamName: name,
      DeliveryStreamType: 'DirectPut',
      DeliveryStreamEncryptionConfigurationInput: {
        KeyType: 'CUSTOMER_MANAGED_CMK',
        KeyARN: att('DataKey'),
      },
      ExtendedS3DestinationConfiguration: {
        BucketARN: att('LandingBucket'),
        RoleARN: att('StreamRole'),
        // The hour in UTC, as landingPrefix of functions/cdc/names.ts has it.
        Prefix: `${landingRoot(table)}!{timestamp:yyyy/MM/dd/HH}/`,
        ErrorOutputPrefix: `errors/${table}/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH}/`,
        BufferingHints: { IntervalInSeconds: bufferSeconds, SizeInMBs: bufferMiB },
        CompressionFormat: 'GZIP',
        EncryptionConfiguration: { KMSEncryptionConfig: { AWSKMSKeyARN: att('DataKey') } },
        // Firehose puts records one behind the other: each pack becomes a line.
        ProcessingConfiguration: {
          Enabled: true,
          Processors: [
            {
              Type: 'AppendDelimiterToRecord',
              Parameters: [{ ParameterName: 'Delimiter', ParameterValue: '\\n' }],
            },
          ],
        },
        CloudWatchLoggingOptions: {
          Enabled: true,
          LogGroupName: ref('StreamLogGroup'),
          LogStreamName: ref('StreamLog'),
        },
      },
    },
  };
}

/** A name as it is, or cut and told apart by its hash where it is too long. */
function fitting(name: string): string {
  if (name.length <= NAME_LENGTH) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 6);
  return `${name.slice(0, NAME_LENGTH - hash.length - 1)}-${hash}`;
}
