import { type Deployment, lakeName, TRANSACTION_TABLE, topicOf } from '../../functions/cdc/names.ts';
import type { Registry } from '../../functions/cdc/registry.ts';
import { ACCOUNT, deployedName } from '../aws/lambda/function.ts';

/** What one pipe reads and where it writes. */
export type PipePlan = {
  /** `<schema>.<table>`, which names the landing prefix. */
  table: string;
  topic: string;
  /** Consumer group, the pipe's own. */
  group: string;
  /** Delivery stream, which names the landing files. */
  stream: string;
};

/** One pipe for each captured table and one for the transaction metadata. */
export function pipePlans(deployment: Deployment, registry: Pick<Registry, 'tables'>): PipePlan[] {
  return [...registry.tables.map(({ id }) => id), TRANSACTION_TABLE].map((table) => ({
    table,
    topic: topicOf(table),
    group: deployedName(deployment, `pipe-${lakeName(table)}`),
    stream: deployedName(deployment, lakeName(table)),
  }));
}

/** `arn:aws:kafka:...:cluster/cdc-demo-dev/<cluster id>`, in the form of an MSK cluster's. */
export function clusterArn(deployment: Deployment, clusterId: string): string {
  return `arn:aws:kafka:us-east-1:${ACCOUNT}:cluster/${deployedName(deployment, 'kafka')}/${clusterId}`;
}
