/** A service that workloads call, by the name of its endpoint: `com.amazonaws.<region>.<api>`. */
export type Api =
  | 's3'
  | 'dynamodb'
  | 'ecr.api'
  | 'ecr.dkr'
  | 'ecs'
  | 'glue'
  | 'kafka'
  | 'kinesis-firehose'
  | 'lambda'
  | 'logs'
  | 'monitoring'
  | 'pipes'
  | 'pipes-data'
  | 'rds'
  | 'secretsmanager'
  | 'states';

export type Workload = {
  /** Whether it runs in the private subnets: what needs Kafka, Connect or the source, and nothing else. */
  vpc: boolean;
  apis: readonly Api[];
};

/**
 * Which function runs where and calls what. Without a NAT, an API that a workload in the network calls must have an
 * endpoint there; the endpoints are made from this table. The functions' imports, roles and settings in serverless.yml are
 * held against it by a test.
 */
export const FUNCTIONS: Readonly<Record<string, Workload>> = {
  preflight: { vpc: true, apis: ['s3', 'secretsmanager'] },
  source: { vpc: true, apis: ['secretsmanager'] },
  connector: { vpc: true, apis: ['secretsmanager'] },
  'slot-monitor': { vpc: true, apis: ['secretsmanager'] },
  events: { vpc: true, apis: ['secretsmanager'] },
  enrich: { vpc: false, apis: ['s3', 'secretsmanager'] },
  gate: { vpc: false, apis: ['s3'] },
  'run-lock': { vpc: false, apis: ['dynamodb', 'glue', 'states'] },
  'pipe-keeper': { vpc: false, apis: ['kafka', 'kinesis-firehose', 'lambda', 'monitoring', 'pipes'] },
  'rotate-secret': { vpc: false, apis: ['ecs', 'lambda', 'secretsmanager'] },
  'custom-resource': { vpc: false, apis: ['kafka', 'lambda'] },
};

/** What else runs in the private subnets. */
export const SERVICES: Readonly<Record<string, Workload>> = {
  // Fargate pulls the image (its layers are objects in S3), injects the secrets and writes the log
  // (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/vpc-endpoints.html).
  connect: { vpc: true, apis: ['ecr.api', 'ecr.dkr', 's3', 'secretsmanager', 'logs'] },
  // A pipe reads Kafka from inside the brokers' subnets and hands over what it read
  // (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-msk.html).
  pipes: { vpc: true, apis: ['pipes-data'] },
};

/** Reached by a route; such an endpoint costs nothing. All others are network interfaces, paid by hour and zone. */
const BY_ROUTE: ReadonlySet<Api> = new Set(['s3', 'dynamodb']);

/** The endpoints that the network needs when nothing in it may reach the internet. */
export function endpointApis(): { gateways: Api[]; interfaces: Api[] } {
  const workloads = [...Object.values(FUNCTIONS), ...Object.values(SERVICES)];
  const called = [...new Set(workloads.filter(({ vpc }) => vpc).flatMap(({ apis }) => apis))].sort();
  return {
    gateways: called.filter((api) => BY_ROUTE.has(api)),
    interfaces: called.filter((api) => !BY_ROUTE.has(api)),
  };
}
