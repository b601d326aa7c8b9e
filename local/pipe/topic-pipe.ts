import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Consumer, EachBatchPayload, Kafka, TopicPartitionOffsetAndMetadata } from 'kafkajs';
import { firehoseRecords } from './answer.ts';
import { type PipeBatch, pipeBatches, RecordTooLarge } from './event.ts';
import { LandingFile, landingKey } from './landing-file.ts';
import type { PipePlan } from './plan.ts';
import type { Enrich, PutLanding } from './ports.ts';
import { type Backoff, untilDone } from './retry.ts';
import { lostSession } from './session.ts';
import { lagOf, newTopicStatus, type TopicStatus } from './status.ts';

/** When a landing file is closed: at this size, at this age, or when nothing has come for a moment. */
export type FileRules = { bytes: number; maxAgeMs: number; quietMs: number };

export type TopicPipeOptions = {
  kafka: Kafka;
  clusterArn: string;
  enrich: Enrich;
  putLanding: PutLanding;
  file: FileRules;
  backoff: Backoff;
  log: PipeLog;
  /** The consumer has ended and can't start again by itself. */
  onCrash: (error: Error) => void;
};

export type PipeLog = (level: 'info' | 'error', message: string, fields: Record<string, unknown>) => void;

/** A second of 5 MB: a Firehose delivery stream's share in Direct PUT. */
export const DEFAULT_FILE: FileRules = { bytes: 5 * 1024 * 1024, maxAgeMs: 1_000, quietMs: 150 };
export const DEFAULT_BACKOFF: Backoff = { firstMs: 200, maxMs: 10_000 };

/** As they lie in Kafka, gzip: several full invocations once they are unpacked, with their schemas. */
const FETCH_BYTES = 512 * 1024;
const FETCH_WAIT_MS = 500;
/** The broker's least: after kill -9, the group waits so long for the member that is gone. */
const SESSION_TIMEOUT_MS = 6_000;
const HEARTBEAT_MS = 1_500;
const TOPIC_POLL_MS = 300;
const DRAIN_MS = 5_000;

/**
 * The pipe of one topic: Kafka to enrichment to landing files. A failure repeats the batch and holds up this topic
 * alone; offsets are committed only for what lies in a closed file, so that kill -9 at any moment loses nothing. A member
 * that the group has put out joins again and reads from the last commit; bronze drops what comes twice.
 */
export class TopicPipe {
  readonly status: TopicStatus;
  readonly #plan: PipePlan;
  readonly #options: TopicPipeOptions;
  readonly #consumer: Consumer;
  readonly #stopping = new AbortController();
  /** Ends what still lands after the time to drain is over. */
  readonly #abandoned = new AbortController();
  #file = new LandingFile();
  #closing: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #started: Promise<void> | null = null;
  /** Counts the joins of the group: what was taken in one session is not committed in another. */
  #session = 0;
  /** Why the group no longer knows this member; null once it has joined again. */
  #lost: Error | null = null;

  constructor(plan: PipePlan, options: TopicPipeOptions) {
    this.#plan = plan;
    this.#options = options;
    this.status = newTopicStatus(plan.table, plan.group);
    this.#consumer = options.kafka.consumer({
      groupId: plan.group,
      sessionTimeout: SESSION_TIMEOUT_MS,
      heartbeatInterval: HEARTBEAT_MS,
      maxWaitTimeInMs: FETCH_WAIT_MS,
      maxBytesPerPartition: FETCH_BYTES,
      maxBytes: FETCH_BYTES,
      // A broker that is away comes back; the pipe waits for it.
      retry: { retries: Number.MAX_SAFE_INTEGER, initialRetryTime: 200, maxRetryTime: 5_000 },
    });
  }

  /**
   * Waits for the topic, which a pipe does not make, and reads it from the group's offset, else from its beginning.
   * What goes wrong once it is told to stop is no error.
   */
  start(): Promise<void> {
    this.#started = this.#start().catch((error) => {
      if (!this.#stopping.signal.aborted) throw error;
    });
    return this.#started;
  }

  async #start(): Promise<void> {
    const { signal } = this.#stopping;
    const { topic } = this.#plan;
    await this.#untilTopicExists();
    if (signal.aborted) return;
    this.#consumer.on(this.#consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart && !signal.aborted) this.#options.onCrash(payload.error);
    });
    this.#consumer.on(this.#consumer.events.GROUP_JOIN, () => this.#beginSession());
    await this.#consumer.connect();
    if (signal.aborted) return;
    await this.#consumer.subscribe({ topic, fromBeginning: true });
    if (signal.aborted) return;
    await this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: (payload) => this.#eachBatch(payload),
    });
    this.status.state = 'running';
    this.#options.log('info', 'pipe runs', { topic });
  }

  /** Lands what was enriched, commits it, and leaves the group. What can't be landed soon is read again next time. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    const late = pause(DRAIN_MS, null, { ref: false });
    await Promise.race([this.#closeFile(), late]);
    this.#abandoned.abort();
    // A consumer that is disconnected on its way into the group would go on, and be in it for good.
    await Promise.race([this.#started?.catch(() => undefined), late]);
    await this.#consumer.disconnect();
  }

  async #untilTopicExists(): Promise<void> {
    const admin = this.#options.kafka.admin();
    await admin.connect();
    try {
      while (!this.#stopping.signal.aborted && !(await admin.listTopics()).includes(this.#plan.topic)) {
        await pause(TOPIC_POLL_MS, null, { signal: this.#stopping.signal }).catch(() => null);
      }
    } finally {
      await admin.disconnect();
    }
  }

  /** The group's offsets count again: what is in no closed file is read again. */
  #beginSession(): void {
    clearTimeout(this.#timer);
    this.#file = new LandingFile();
    this.#session += 1;
    this.#lost = null;
  }

  async #eachBatch({ batch, resolveOffset, heartbeat, isRunning, isStale }: EachBatchPayload): Promise<void> {
    // An enrichment may take longer than the group waits for a sign of life.
    const beat = setInterval(() => void heartbeat().catch(() => undefined), HEARTBEAT_MS);
    const { partition, highWatermark } = batch;
    this.status.end[partition] = highWatermark;
    this.status.position[partition] ??= batch.messages[0]?.offset ?? highWatermark;
    const source = { clusterArn: this.#options.clusterArn, topic: batch.topic, partition };
    try {
      for (const next of pipeBatches(source, batch.messages)) {
        // The client joins the group again when it is told so by this error.
        if (this.#lost !== null) throw this.#lost;
        const records = await this.#repeat('enrich', () => this.#enrich(next), this.#stopping.signal);
        // Nothing may pass that a rebalance has taken back: it is read again.
        if (!isRunning() || isStale()) return;
        this.#take(partition, next, records);
        resolveOffset(String(BigInt(next.nextOffset) - 1n));
        if (this.#file.bytes >= this.#options.file.bytes) await this.#closeFile();
      }
      if (this.#lost !== null) throw this.#lost;
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      if (!(error instanceof RecordTooLarge)) throw error;
      this.#failed('cut', error);
      await pause(this.#options.backoff.maxMs, null, { signal: this.#stopping.signal }).catch(() => null);
    } finally {
      clearInterval(beat);
    }
  }

  async #enrich({ event }: PipeBatch): Promise<string[]> {
    return firehoseRecords(await this.#options.enrich(event, this.#stopping.signal));
  }

  #take(partition: number, batch: PipeBatch, records: readonly string[]): void {
    this.#file.add(partition, batch.nextOffset, records, new Date());
    this.status.position[partition] = batch.nextOffset;
    this.status.records += batch.records;
    this.status.packs += records.length;
    this.#closeFileSoon();
  }

  /** At the file's age, or earlier when nothing more comes: a lone change must not wait for company. */
  #closeFileSoon(): void {
    const { maxAgeMs, quietMs } = this.#options.file;
    const age = Date.now() - (this.#file.openedAt?.getTime() ?? Date.now());
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#closeFile(), Math.min(quietMs, Math.max(0, maxAgeMs - age)));
  }

  /** Resolves when all that was taken before is landed and committed; one file after the other. */
  #closeFile(): Promise<void> {
    clearTimeout(this.#timer);
    this.#closing = (this.#closing ?? Promise.resolve())
      .then(() => this.#land())
      .catch((error) => {
        if (!this.#abandoned.signal.aborted) throw error;
      });
    return this.#closing;
  }

  async #land(): Promise<void> {
    const file = this.#file;
    const session = this.#session;
    if (file.openedAt === null || this.#lost !== null) return;
    this.#file = new LandingFile();
    if (file.records > 0) await this.#write(file, file.openedAt);
    const topic = this.#plan.topic;
    const offsets = file.offsets.map((offset) => ({ topic, ...offset }));
    if (this.#session !== session) return;
    const lost = await this.#repeat('commit', () => this.#commit(offsets), this.#abandoned.signal);
    if (lost !== null) {
      this.#failed('commit', lost);
      if (this.#session === session) this.#lost = lost;
      return;
    }
    for (const { partition, offset } of offsets) this.status.committed[partition] = offset;
    this.status.lag = lagOf(this.status);
  }

  /** Null, or why this member can't commit before it has joined the group again: no repetition would help. */
  async #commit(offsets: TopicPartitionOffsetAndMetadata[]): Promise<Error | null> {
    try {
      await this.#consumer.commitOffsets(offsets);
      return null;
    } catch (error) {
      const lost = lostSession(error);
      if (lost === null) throw error;
      return lost;
    }
  }

  /** The key is drawn once: a repeated PUT overwrites its own object. */
  async #write(file: LandingFile, openedAt: Date): Promise<void> {
    const key = landingKey(this.#plan.table, this.#plan.stream, openedAt, randomUUID());
    const content = await file.content();
    const { signal } = this.#abandoned;
    await this.#repeat('land', () => this.#options.putLanding(key, content, signal), signal);
    this.status.files += 1;
    this.status.bytes += content.length;
    this.status.lastLandedAt = new Date().toISOString();
  }

  async #repeat<Answer>(step: string, attempt: () => Promise<Answer>, signal: AbortSignal): Promise<Answer> {
    const answer = await untilDone(attempt, this.#options.backoff, signal, (error) =>
      this.#failed(step, error),
    );
    if (this.status.state === 'stalled') {
      this.status.state = 'running';
      this.#options.log('info', 'pipe goes on', { topic: this.#plan.topic, step });
    }
    return answer;
  }

  #failed(step: string, { message }: Error): void {
    this.status.state = 'stalled';
    this.status.failures += 1;
    this.status.lastError = { at: new Date().toISOString(), message: `${step}: ${message}` };
    const { position } = this.status;
    this.#options.log('error', 'pipe stalled', { topic: this.#plan.topic, step, error: message, position });
  }
}
