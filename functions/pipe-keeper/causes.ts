import { DescribeDeliveryStreamCommand, type FirehoseClient } from '@aws-sdk/client-firehose';
import { DescribeClusterV2Command, type KafkaClient } from '@aws-sdk/client-kafka';
import {
  GetFunctionConcurrencyCommand,
  GetFunctionConfigurationCommand,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import type { FoundPipe } from './pipes.ts';

export type Clients = { kafka: KafkaClient; lambda: LambdaClient; firehose: FirehoseClient };

/** Looks at what pipes hang on, each thing once. */
export class Causes {
  readonly #clients: Clients;
  readonly #seen = new Map<string, Promise<string | null>>();

  constructor(clients: Clients) {
    this.#clients = clients;
  }

  /** What is wrong with the cluster, the enrichment or the delivery stream of a pipe; null when nothing is. */
  async of({ source, enrichment, target }: FoundPipe): Promise<string | null> {
    const causes = await Promise.all([
      this.#once(source, () => this.#cluster(source)),
      this.#once(enrichment, () => this.#enrichment(enrichment)),
      this.#once(target, () => this.#stream(target)),
    ]);
    return causes.find((cause) => cause !== null) ?? null;
  }

  #once(arn: string, look: () => Promise<string | null>): Promise<string | null> {
    const seen =
      this.#seen.get(arn) ?? look().catch((error: Error) => `${arn} can't be looked at: ${error.message}`);
    this.#seen.set(arn, seen);
    return seen;
  }

  async #cluster(ClusterArn: string): Promise<string | null> {
    const { ClusterInfo } = await this.#clients.kafka.send(new DescribeClusterV2Command({ ClusterArn }));
    const state = ClusterInfo?.State;
    // A cluster under maintenance or an update goes on serving.
    const serves =
      state === 'ACTIVE' || state === 'UPDATING' || state === 'MAINTENANCE' || state === 'HEALING';
    return serves ? null : `the Kafka cluster ${ClusterArn} is ${state}`;
  }

  async #enrichment(FunctionName: string): Promise<string | null> {
    const { lambda } = this.#clients;
    const { State, StateReason } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
    // Lambda puts a function that nobody called for weeks to sleep; a call wakes it.
    if (State !== 'Active' && State !== 'Inactive')
      return `the enrichment ${FunctionName} is ${State}: ${StateReason}`;
    const { ReservedConcurrentExecutions } = await lambda.send(
      new GetFunctionConcurrencyCommand({ FunctionName }),
    );
    return ReservedConcurrentExecutions === 0
      ? `the enrichment ${FunctionName} is throttled to 0 by its concurrency`
      : null;
  }

  async #stream(arn: string): Promise<string | null> {
    const DeliveryStreamName = arn.split('/').at(-1) ?? '';
    const { DeliveryStreamDescription } = await this.#clients.firehose.send(
      new DescribeDeliveryStreamCommand({ DeliveryStreamName }),
    );
    const status = DeliveryStreamDescription?.DeliveryStreamStatus;
    return status === 'ACTIVE' ? null : `the delivery stream ${DeliveryStreamName} is ${status}`;
  }
}
