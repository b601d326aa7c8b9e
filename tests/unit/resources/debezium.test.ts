import { describe, expect, it } from '@jest/globals';
import { workerProperties as twinProperties } from '../../../local/connect/worker.ts';
import { debeziumPart } from '../../../resources/debezium.ts';
import { assertImage } from '../../../resources/debezium-image.ts';
import { resourceOf, stageContext } from './stage-context.ts';

const DIGEST = `sha256:${'0'.repeat(64)}`;
const PUBLIC = `quay.io/debezium/connect@${DIGEST}`;
const IN_ECR = `123456789012.dkr.ecr.eu-west-1.amazonaws.com/cdc/connect@${DIGEST}`;
const OTHER_THAN_THE_TWIN =
  /^(bootstrap\.servers|listeners|plugin\..*|(key|value)\.converter|.*\.replication\.factor)$/;

type Container = {
  Environment: { Name: string; Value: unknown }[];
  Secrets: { Name: string; ValueFrom: unknown }[];
};

async function container(image = PUBLIC): Promise<Container> {
  const part = await debeziumPart(stageContext('prod', { debeziumImage: image }));
  const definitions = resourceOf(part, 'ConnectTask').Properties['ContainerDefinitions'];
  return (definitions as Container[])[0] as Container;
}

/** What the image's entrypoint writes into the worker's properties. */
async function workerProperties(): Promise<Map<string, unknown>> {
  const { Environment, Secrets } = await container();
  const own: Record<string, string> = {
    BOOTSTRAP_SERVERS: 'bootstrap.servers',
    GROUP_ID: 'group.id',
    CONFIG_STORAGE_TOPIC: 'config.storage.topic',
    OFFSET_STORAGE_TOPIC: 'offset.storage.topic',
    STATUS_STORAGE_TOPIC: 'status.storage.topic',
    OFFSET_FLUSH_INTERVAL_MS: 'offset.flush.interval.ms',
    ADVERTISED_HOST_NAME: 'rest.advertised.host.name',
  };
  const all = [...Environment, ...Secrets.map(({ Name, ValueFrom }) => ({ Name, Value: ValueFrom }))];
  return new Map(
    all.flatMap(({ Name, Value }) => {
      const property = Name.startsWith('CONNECT_')
        ? Name.slice('CONNECT_'.length).toLowerCase().replaceAll('_', '.')
        : own[Name];
      return property === undefined ? [] : [[property, Value] as const];
    }),
  );
}

describe('Kafka Connect on Fargate', () => {
  it('has the settings of the twin’s worker, but for addresses, replicas and what the image chooses', async () => {
    const properties = await workerProperties();
    const twin = Object.entries(twinProperties('http://127.0.0.1:8083', '127.0.0.1:9092')).filter(
      ([name]) => !OTHER_THAN_THE_TWIN.test(name),
    );
    expect(twin.length).toBeGreaterThan(10);
    for (const [name, value] of twin) expect([name, properties.get(name)]).toEqual([name, value]);
  });

  it('keeps as many replicas of its own topics as the stage has', async () => {
    const properties = await workerProperties();
    for (const topic of ['config', 'offset', 'status']) {
      expect(properties.get(`${topic}.storage.replication.factor`)).toBe('3');
    }
  });

  it.each(['', 'producer.', 'consumer.', 'admin.'])('logs in to Kafka with its %sclient', async (client) => {
    const properties = await workerProperties();
    expect(properties.get(`${client}security.protocol`)).toBe('SASL_SSL');
    expect(properties.get(`${client}sasl.mechanism`)).toBe('SCRAM-SHA-512');
    expect(properties.get(`${client}sasl.jaas.config`)).toEqual({ Ref: 'JaasSecret' });
  });

  it('lets the image print none of its secrets', async () => {
    const { Environment, Secrets } = await container();
    const hidden = Environment.find(({ Name }) => Name === 'SENSITIVE_PROPERTIES')?.Value as string;
    const printed = Secrets.map(({ Name }) => Name).filter((name) => name.startsWith('CONNECT_'));
    expect(hidden.split(',')).toEqual(printed);
  });

  it('has no value with an @, which the image’s entrypoint can’t take', async () => {
    const { Environment } = await container();
    for (const variable of Environment) expect(JSON.stringify(variable)).not.toContain('@');
  });

  it('is one task, replaced and never doubled, put back when it doesn’t get healthy', async () => {
    const { Properties } = resourceOf(await debeziumPart(stageContext('dev')), 'ConnectService');
    expect(Properties).toMatchObject({
      DesiredCount: 1,
      DeploymentConfiguration: {
        MinimumHealthyPercent: 0,
        MaximumPercent: 100,
        DeploymentCircuitBreaker: { Enable: true, Rollback: true },
      },
    });
  });

  it('may pull from ECR only when its image is there, and then that repository', async () => {
    const role = async (image: string) => {
      const part = await debeziumPart(stageContext('dev', { debeziumImage: image }));
      return JSON.stringify(resourceOf(part, 'ConnectExecutionRole').Properties['Policies']);
    };
    expect(await role(PUBLIC)).not.toContain('ecr:');
    expect(await role(IN_ECR)).toContain('ecr:eu-west-1:123456789012:repository/cdc/connect"');
  });
});

describe('the image of Kafka Connect', () => {
  it.each([PUBLIC, IN_ECR])('may be %s', (image) => {
    expect(() => assertImage(image, 'dev', false)).not.toThrow();
  });

  it.each(['', 'quay.io/debezium/connect:3.7', `quay.io/debezium/connect@sha256:${'0'.repeat(63)}`])(
    'may not be "%s", which names no digest',
    (image) => {
      expect(() => assertImage(image, 'staging', false)).toThrow(/Run: npx cdc doctor --stage staging/);
    },
  );

  it('must be in ECR where the network has no way to the internet', () => {
    expect(() => assertImage(PUBLIC, 'dev', true)).toThrow(/push it to this account's ECR/);
    expect(() => assertImage(IN_ECR, 'dev', true)).not.toThrow();
  });
});
