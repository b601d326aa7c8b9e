import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { FollowOptions, TopicRecord } from '../world.ts';
import { invoke } from './invoke.ts';
import type { Place } from './place.ts';

/** Records a call; the answer stays far below Lambda's 6 MB as long as rows are not huge, and the function cuts it then. */
const RECORDS = 200;
/** How long one call waits for news. */
const WAIT_MS = 20_000;

/** What the events function answers: records in order, and where to go on, to be given back as `from`. */
type EventsAnswer = { records: TopicRecord[]; next: unknown };

/** Follows a table's topic through the `events` function, which stands in the VPC where Kafka is. */
export async function followThroughFunction(
  lambda: LambdaClient,
  place: Place,
  table: string,
  { fromBeginning, signal, onRecord }: FollowOptions,
): Promise<void> {
  let from: unknown = fromBeginning ? 'beginning' : 'end';
  while (!signal.aborted) {
    try {
      const event = { table, from, limit: RECORDS, waitMs: WAIT_MS };
      const { records, next } = await invoke<EventsAnswer>(lambda, place, 'events', event, signal);
      for (const record of records) onRecord(record);
      from = next;
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
