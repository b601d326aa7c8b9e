/** Where the platform runs: the twin of a state folder, or a stage on AWS. A verb asks it and never knows which it is. */
import type { SFNClient } from '@aws-sdk/client-sfn';
import type { Deployment } from '../functions/cdc/names.ts';
import type { PackEvent } from '../functions/cdc/pack.ts';
import type { Registry } from '../functions/cdc/registry.ts';
import type { ConnectorCondition } from '../functions/connector/condition.ts';

export type World = {
  /** For people: `the twin in .cdc`, `stage dev (us-east-1, account 123456789012)`. */
  readonly place: string;
  readonly registry: Registry;
  readonly deployment: Deployment;
  stateMachine(name: StateMachineName): Promise<StateMachine>;
  connector(): Promise<ConnectorReport>;
  /** Runs SQL in the lake. @throws UsageError with the engine's words for wrong SQL */
  query(sql: string, limit: number, signal: AbortSignal): Promise<QueryResult>;
  /** Hands over the changes of a captured table as they reach Kafka, until the signal. */
  follow(table: string, options: FollowOptions): Promise<void>;
  /** Everything that can be known now; what does not answer is null. */
  status(): Promise<Status>;
};

export type StateMachineName = 'medallion' | 'maintenance' | 'backfill' | 'cost-guard';

/** A state machine and how to follow it. */
export type StateMachine = {
  sfn: SFNClient;
  arn: string;
  /** How often to look; AWS throttles what asks faster. */
  pollMs: number;
  /** Where people see an execution in the console; null where there is none. */
  link(executionArn: string): string | null;
};

/** The Debezium connector; `config` without passwords, null when it isn't known. */
export type ConnectorReport = ConnectorCondition & {
  name: string;
  config: Record<string, string> | null;
};

/** A result set: column names, and rows of JSON values in that order. */
export type QueryResult = {
  columns: readonly string[];
  rows: readonly (readonly unknown[])[];
  /** Bytes read from the lake, which is what Athena bills; null where nobody counts. */
  scannedBytes: number | null;
};

/** One record of a table's topic: a change, or why it can't be read. */
export type TopicRecord = { offset: string; event: ShownEvent } | { offset: string; unreadable: string };

/** What is shown of a change. */
export type ShownEvent = Pick<
  PackEvent,
  'offset' | 'op' | 'source_ts' | 'key' | 'prior_key' | 'unchanged' | 'payload'
>;

export type FollowOptions = {
  fromBeginning: boolean;
  signal: AbortSignal;
  onRecord(record: TopicRecord): void;
};

/** The replication slot in the source. */
export type SlotStatus = {
  confirmed_lsn: string | null;
  /** WAL that the source keeps for it, or is ahead of it (bytes, decimal). */
  behind_bytes: string | null;
  /** What is to be done about it; null when nothing. */
  problem: string | null;
};

/** What the platform is made of: the twin's processes; a stage's stack, broker, connector service and source. */
export type PartStatus = {
  part: string;
  state: string;
  /** Whether it does its work. */
  ok: boolean;
  /** Since when it is in this state, ISO 8601; null where nobody knows. */
  since: string | null;
  detail: string;
};

/** One table from left to right. Null: not known yet. */
export type TableStatus = {
  table: string;
  source_rows: number | null;
  /** LSN of the newest event in bronze. */
  last_lsn: string | null;
  /** `running`, or what is wrong with its pipe. */
  pipe: string | null;
  /** Records in Kafka that are in no landing file yet. */
  lag: number | null;
  /** Records landed: in the twin since its pipes started, on a stage in all. */
  landed: number | null;
  bronze: number | null;
  silver: number | null;
  quarantined: number | null;
  /** The last verdict of bronze's and silver's gates on it. */
  last_gate: string | null;
};

export type ModelStatus = { model: string; rows: number | null; last_gate: string | null };

/** The newest run of a layer: its id, when it ended, its verdict. */
export type LayerStatus = {
  layer: string;
  run_id: string;
  finished_at: string;
  batch: number | null;
  verdict: string;
  reason: string;
};

/** An alarm that is on, and what its description says is to be done. */
export type AlarmStatus = { alarm: string; since: string; reason: string; what_to_do: string };

export type Status = {
  place: string;
  parts: PartStatus[];
  addresses: Readonly<Record<string, string>>;
  connector: ConnectorCondition | null;
  slot: SlotStatus | null;
  tables: TableStatus[];
  models: ModelStatus[];
  layers: LayerStatus[];
  /** Null where there are no alarms to have. */
  alarms: AlarmStatus[] | null;
};
