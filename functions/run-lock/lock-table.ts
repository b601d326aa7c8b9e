import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  type PutItemCommandInput,
} from '@aws-sdk/client-dynamodb';

/** Who holds a lock: the execution's ARN, its name, and when it took it (ISO 8601). */
export type Holder = { owner: string; runId: string; takenAt: string };

/** One item a lock. Every change is one conditional write, so of several at once exactly one succeeds. */
export class LockTable {
  readonly #dynamo: DynamoDBClient;
  readonly #table: string;

  constructor(dynamo: DynamoDBClient, table: string) {
    this.#dynamo = dynamo;
    this.#table = table;
  }

  /** Takes a free lock, or keeps one that this owner has already; else answers who holds it. */
  async take(lock: string, by: Holder): Promise<Holder | undefined> {
    return this.#put(lock, by, {
      ConditionExpression: 'attribute_not_exists(#lock) OR #owner = :me',
      ExpressionAttributeNames: { '#lock': 'lock', '#owner': 'owner' },
      ExpressionAttributeValues: { ':me': { S: by.owner } },
    });
  }

  /** Takes the lock from `from`, unless somebody was faster; then answers who. */
  async takeOver(lock: string, by: Holder, from: Holder): Promise<Holder | undefined> {
    return this.#put(lock, by, {
      ConditionExpression: '#owner = :old AND takenAt = :oldTime',
      ExpressionAttributeNames: { '#owner': 'owner' },
      ExpressionAttributeValues: { ':old': { S: from.owner }, ':oldTime': { S: from.takenAt } },
    });
  }

  /** Gives the lock back; false when this owner doesn't hold it (any more), which is fine. */
  async release(lock: string, owner: string): Promise<boolean> {
    try {
      await this.#dynamo.send(
        new DeleteItemCommand({
          TableName: this.#table,
          Key: { lock: { S: lock } },
          ConditionExpression: '#owner = :me',
          ExpressionAttributeNames: { '#owner': 'owner' },
          ExpressionAttributeValues: { ':me': { S: owner } },
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  async #put(
    lock: string,
    { owner, runId, takenAt }: Holder,
    condition: Omit<PutItemCommandInput, 'TableName' | 'Item'>,
  ): Promise<Holder | undefined> {
    try {
      await this.#dynamo.send(
        new PutItemCommand({
          TableName: this.#table,
          Item: { lock: { S: lock }, owner: { S: owner }, runId: { S: runId }, takenAt: { S: takenAt } },
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          ...condition,
        }),
      );
      return undefined;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return holderOf(error);
      throw error;
    }
  }
}

/** Who the failed condition found. The lock was given back in between when there is none: nobody, for all we know. */
function holderOf({ Item }: ConditionalCheckFailedException): Holder {
  return {
    owner: Item?.['owner']?.S ?? '',
    runId: Item?.['runId']?.S ?? '',
    takenAt: Item?.['takenAt']?.S ?? '',
  };
}
