/** What a rate of changes means for what is billed by the request or the byte. Pure arithmetic. */

import { UsageError } from '../usage-error.ts';

/** What the source does, and how the platform is used. */
export type Workload = {
  /** Rows inserted, updated or deleted, spread evenly over the tables and the day. */
  changesPerDay: number;
  /** A row as JSON (bytes). */
  rowBytes: number;
  /** Changes in one transaction of the source. */
  changesPerTransaction: number;
  /** How long a Glue job of a layer is billed for (minutes); a minute at least. */
  jobMinutes: number;
  /** The same for the job of the daily maintenance. */
  maintenanceMinutes: number;
  /** What people's queries read in a month (GB). */
  athenaGigabytes: number;
};

/** One pipe as deployed. */
export type PipeSettings = { topic: string; batchRecords: number; windowSeconds: number };

/** A month of one topic. */
export type TopicTraffic = {
  topic: string;
  records: number;
  /** Of the records in Kafka, keys included, before compression (bytes). */
  kafkaBytes: number;
  /** Calls of the enrichment. */
  batches: number;
  /** What Pipes bills: 64 KB of a batch each. */
  pipeRequests: number;
  /** What lands, before gzip (bytes). */
  landedBytes: number;
  /** What Firehose bills: each pack rounded up to 5 KB (bytes). */
  firehoseBytes: number;
  /** What it would bill if each event were a record of its own (bytes). */
  firehoseBytesUnpacked: number;
};

export const DAYS = 365 / 12;
export const HOURS = 730;

const SECONDS_A_DAY = 86_400;
const TRANSACTION_TOPIC = 'cdc.transaction';
/** A heartbeat every 30 s is a transaction: BEGIN and END (docs/architecture.md). */
const HEARTBEATS_A_DAY = SECONDS_A_DAY / 30;

/**
 * A change in Kafka beside its row: schema, source block and key, of a table with ten columns. Measured on
 * tests/fixtures/debezium; a test holds the numbers against it.
 */
export const KAFKA_OVERHEAD = 6_700;
/** A change in a pack beside its row, measured likewise. */
export const EVENT_OVERHEAD = 830;
/** A record of the transaction topic in Kafka, and in a pack, measured likewise. */
export const TRANSACTION_RECORD = 950;
export const TRANSACTION_EVENT = 400;
/** A pack's own fields: cluster, offsets, columns with their types, of a table with ten columns. */
const PACK_OVERHEAD = 900;
/** Topic, offsets and so on of a record as a pipe hands it over. */
const PIPE_RECORD_OVERHEAD = 260;
/** A pipe closes a batch at 6 MB (AWS: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html). */
const BATCH_BYTES = 6_000_000;
/** https://aws.amazon.com/eventbridge/pricing/ */
const REQUEST_BYTES = 64 * 1024;
/** https://aws.amazon.com/firehose/pricing/ */
const FIREHOSE_ROUNDING = 5 * 1024;

/** A month of each topic. @throws UsageError when there is no pipe for a captured table */
export function trafficOf(workload: Workload, pipes: readonly PipeSettings[]): TopicTraffic[] {
  const tables = pipes.filter(({ topic }) => topic !== TRANSACTION_TOPIC);
  if (tables.length === 0)
    throw new UsageError('The template has no pipe of a captured table; is it one of this project?');
  const { changesPerDay, rowBytes, changesPerTransaction } = workload;
  return pipes.map((pipe) => {
    if (pipe.topic !== TRANSACTION_TOPIC) {
      const sizes = { kafka: KAFKA_OVERHEAD + rowBytes, landed: EVENT_OVERHEAD + rowBytes };
      return topicTraffic(pipe, changesPerDay / tables.length, sizes);
    }
    const transactions = changesPerDay / changesPerTransaction + HEARTBEATS_A_DAY;
    return topicTraffic(pipe, 2 * transactions, { kafka: TRANSACTION_RECORD, landed: TRANSACTION_EVENT });
  });
}

function topicTraffic(
  { topic, batchRecords, windowSeconds }: PipeSettings,
  recordsPerDay: number,
  { kafka, landed }: { kafka: number; landed: number },
): TopicTraffic {
  const inPipe = (kafka * 4) / 3 + PIPE_RECORD_OVERHEAD;
  // The window opens with a batch's first record; more come in while it is open.
  const gathered = 1 + (recordsPerDay / SECONDS_A_DAY) * windowSeconds;
  const perBatch = Math.min(gathered, batchRecords, Math.max(1, BATCH_BYTES / inPipe));
  const records = recordsPerDay * DAYS;
  const batches = records / perBatch;
  const packBytes = PACK_OVERHEAD + perBatch * landed;
  return {
    topic,
    records,
    kafkaBytes: records * kafka,
    batches,
    pipeRequests: batches * Math.ceil((perBatch * inPipe) / REQUEST_BYTES),
    landedBytes: batches * packBytes,
    firehoseBytes: batches * roundedUp(packBytes),
    firehoseBytesUnpacked: records * roundedUp(PACK_OVERHEAD + landed),
  };
}

function roundedUp(bytes: number): number {
  return Math.ceil(bytes / FIREHOSE_ROUNDING) * FIREHOSE_ROUNDING;
}
