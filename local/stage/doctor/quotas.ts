/** The account's quotas against what a stage takes, before it is deployed and while it grows. */
import {
  DescribeAddressesCommand,
  DescribeNatGatewaysCommand,
  DescribeSubnetsCommand,
  DescribeVpcsCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import { FirehoseClient, ListDeliveryStreamsCommand } from '@aws-sdk/client-firehose';
import { KafkaClient, paginateListClustersV2 } from '@aws-sdk/client-kafka';
import { GetAccountSettingsCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { PipesClient, paginateListPipes } from '@aws-sdk/client-pipes';
import { paginateListServiceQuotas, ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { type Check, missing, note, ok } from '../../check.ts';
import { firstLine } from '../errors.ts';
import type { ClientSettings } from '../place.ts';

/** What a stage takes of what is limited. */
export type Demand = {
  /** Captured tables and the transaction metadata: a pipe and a delivery stream each. */
  topics: number;
  brokers: number;
  /** 1 with a NAT gateway, 0 without. */
  natGateways: number;
  /** Whether the stage is there: then it is among what is used. */
  deployed: boolean;
};

/** A quota as Service Quotas has it. */
export type Quota = { code: string; name: string; value: number };

/** A quota that a stage uses. */
type Limit = {
  what: string;
  service: string;
  /** Its name in Service Quotas: codes differ nowhere, but names can be read. */
  name: RegExp;
  needed(demand: Demand): number;
  /** What the account uses now; null where counting takes too many calls. */
  used(settings: ClientSettings): Promise<number | null>;
};

/** What else runs at once beside one enrichment a pipe: gates, locks, monitors, and a margin for their overlap. */
const OTHER_FUNCTIONS = 10;
/** What AWS gives an account that asks: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const USUAL_CONCURRENCY = 1000;

const LIMITS: readonly Limit[] = [
  {
    what: 'VPCs in the region',
    service: 'vpc',
    name: /^VPCs per Region$/i,
    needed: () => 1,
    used: async (settings) =>
      (await new EC2Client(settings).send(new DescribeVpcsCommand({ MaxResults: 1000 }))).Vpcs?.length ?? 0,
  },
  {
    what: 'Elastic IP addresses',
    service: 'ec2',
    name: /^EC2-VPC Elastic IPs$/i,
    needed: ({ natGateways }) => natGateways,
    used: async (settings) =>
      (await new EC2Client(settings).send(new DescribeAddressesCommand({}))).Addresses?.length ?? 0,
  },
  {
    what: 'NAT gateways in a zone',
    service: 'vpc',
    name: /^NAT gateways per Availability Zone$/i,
    needed: ({ natGateways }) => natGateways,
    used: mostGatewaysOfAZone,
  },
  {
    what: 'Firehose streams',
    service: 'firehose',
    name: /^(Delivery streams|Firehose streams|Streams per Region)/i,
    needed: ({ topics }) => topics,
    used: countStreams,
  },
  {
    what: 'MSK brokers',
    service: 'kafka',
    name: /brokers per account/i,
    needed: ({ brokers }) => brokers,
    used: countBrokers,
  },
  {
    what: 'EventBridge pipes',
    service: 'pipes',
    name: /^Pipes per account/i,
    needed: ({ topics }) => topics,
    used: countPipes,
  },
];

/** Checks every quota that a stage comes near. */
export async function checkQuotas(settings: ClientSettings, demand: Demand): Promise<Check[]> {
  const quotas = new Map<string, readonly Quota[] | Error>();
  for (const service of new Set(LIMITS.map((limit) => limit.service))) {
    quotas.set(service, await quotasOf(new ServiceQuotasClient(settings), service));
  }
  const limits = LIMITS.filter((limit) => limit.needed(demand) > 0);
  const checks = limits.map((limit) => checkLimit(limit, quotas.get(limit.service), settings, demand));
  return Promise.all([checkConcurrency(settings, demand), ...checks]);
}

async function quotasOf(client: ServiceQuotasClient, service: string): Promise<readonly Quota[] | Error> {
  try {
    const found: Quota[] = [];
    const pages = paginateListServiceQuotas({ client, pageSize: 100 }, { ServiceCode: service });
    for await (const { Quotas } of pages) {
      for (const { QuotaCode, QuotaName, Value } of Quotas ?? []) {
        if (QuotaCode && QuotaName && Value !== undefined) {
          found.push({ code: QuotaCode, name: QuotaName, value: Value });
        }
      }
    }
    return found;
  } catch (error) {
    return error as Error;
  }
}

async function checkLimit(
  { what, service, name, needed, used }: Limit,
  quotas: readonly Quota[] | Error | undefined,
  settings: ClientSettings,
  demand: Demand,
): Promise<Check> {
  const need = needed(demand);
  const console = `https://${settings.region}.console.aws.amazon.com/servicequotas/home/services/${service}/quotas`;
  if (quotas instanceof Error || quotas === undefined) {
    return note(
      what,
      `not read: ${quotas ? firstLine(quotas) : 'unknown service'}`,
      `The stage takes ${need}; see ${console}`,
    );
  }
  const quota = quotas.find((entry) => name.test(entry.name));
  if (quota === undefined) {
    return note(what, 'not listed by Service Quotas', `The stage takes ${need}; see ${console}`);
  }
  const now = await used(settings).catch((error: Error) => error);
  if (now === null || now instanceof Error) {
    const why = now === null ? '' : `, use not read: ${firstLine(now)}`;
    return note(what, `quota ${quota.value}${why}`, `The stage takes ${need}; see ${console}`);
  }
  return judge(what, service, quota, { now, need: demand.deployed ? 0 : need, region: settings.region });
}

/** Whether what is needed beside what is used stays within the quota. */
export function judge(
  what: string,
  service: string,
  { code, value }: Quota,
  { now, need, region }: { now: number; need: number; region: string },
): Check {
  const found = `${now} of ${value} used${need > 0 ? `, the stage takes ${need} more` : ''}`;
  if (now + need <= value) return ok(what, found);
  const command = `aws service-quotas request-service-quota-increase --service-code ${service} --quota-code ${code} --desired-value ${now + need} --region ${region}`;
  return missing(what, found, command);
}

/** New accounts may have 10 at once, which a few pipes use up; Lambda itself says what holds. */
async function checkConcurrency(settings: ClientSettings, { topics }: Demand): Promise<Check> {
  const what = 'Lambda functions at once';
  const needed = topics + OTHER_FUNCTIONS;
  try {
    const { AccountLimit } = await new LambdaClient(settings).send(new GetAccountSettingsCommand({}));
    const free = AccountLimit?.UnreservedConcurrentExecutions ?? AccountLimit?.ConcurrentExecutions ?? 0;
    const found = `${free} unreserved, the stage takes ${needed}`;
    if (free >= needed) return ok(what, found);
    // https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: Concurrent executions, L-B99A9384.
    const command = `aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value ${USUAL_CONCURRENCY} --region ${settings.region}`;
    return missing(what, found, command);
  } catch (error) {
    return note(what, `not read: ${firstLine(error)}`, `The stage takes ${needed}.`);
  }
}

async function mostGatewaysOfAZone(settings: ClientSettings): Promise<number> {
  const ec2 = new EC2Client(settings);
  const { NatGateways } = await ec2.send(
    new DescribeNatGatewaysCommand({
      Filter: [{ Name: 'state', Values: ['pending', 'available', 'deleting'] }],
    }),
  );
  const subnets = (NatGateways ?? []).flatMap(({ SubnetId }) => SubnetId ?? []);
  if (subnets.length === 0) return 0;
  const { Subnets } = await ec2.send(new DescribeSubnetsCommand({ SubnetIds: [...new Set(subnets)] }));
  const zones = new Map(Subnets?.map(({ SubnetId, AvailabilityZone }) => [SubnetId, AvailabilityZone]));
  const byZone = Map.groupBy(subnets, (subnet) => zones.get(subnet));
  return Math.max(...[...byZone.values()].map((gateways) => gateways.length));
}

async function countStreams(settings: ClientSettings): Promise<number> {
  const firehose = new FirehoseClient(settings);
  let count = 0;
  let last: string | undefined;
  for (let more = true; more; ) {
    const page = await firehose.send(
      new ListDeliveryStreamsCommand({
        Limit: 100,
        ...(last ? { ExclusiveStartDeliveryStreamName: last } : {}),
      }),
    );
    const names = page.DeliveryStreamNames ?? [];
    count += names.length;
    last = names.at(-1);
    more = page.HasMoreDeliveryStreams === true && last !== undefined;
  }
  return count;
}

async function countBrokers(settings: ClientSettings): Promise<number> {
  let count = 0;
  for await (const { ClusterInfoList } of paginateListClustersV2({ client: new KafkaClient(settings) }, {})) {
    for (const { Provisioned } of ClusterInfoList ?? []) count += Provisioned?.NumberOfBrokerNodes ?? 0;
  }
  return count;
}

async function countPipes(settings: ClientSettings): Promise<number> {
  let count = 0;
  for await (const { Pipes } of paginateListPipes({ client: new PipesClient(settings) }, {})) {
    count += Pipes?.length ?? 0;
  }
  return count;
}
