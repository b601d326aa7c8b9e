import type { IncomingMessage, ServerResponse } from 'node:http';
import kafkajs, { type Admin, Kafka, type KafkaJSProtocolError, logLevel } from 'kafkajs';
import { createTopics } from '../kafka/new-topics.ts';
import { readBody, ServiceError, sendJson } from './http.ts';

/** MSK configuration as its API shows it. */
type Configuration = {
  arn: string;
  name: string;
  description: string;
  kafkaVersions: string[];
  state: 'ACTIVE';
  creationTime: string;
  latestRevision: { creationTime: string; revision: number; description: string };
  serverProperties: string;
};

type Input = {
  name?: string;
  description?: string;
  kafkaVersions?: string[];
  serverProperties?: string;
  secretArnList?: string[];
  topicName?: string;
  partitionCount?: number;
  replicationFactor?: number;
  configs?: string;
};

type Answer = { status: number; body: unknown };
type Handler = (input: Input, parts: string[]) => Promise<Answer> | Answer;

const BODY_BYTES = 1024 * 1024;
const { TOPIC } = kafkajs.ConfigResourceTypes;

/**
 * What of MSK's API moto lacks: topics, which are made in the real broker, where clients find it, configurations and
 * SCRAM secrets. Clusters are moto's.
 */
export class MskApi {
  readonly #broker: string;
  readonly #configurations = new Map<string, Configuration>();
  readonly #secrets = new Map<string, Set<string>>();
  /** Topics by cluster: the broker has Connect's own ones, too. */
  readonly #topics = new Map<string, Map<string, { arn: string; replicas: number }>>();
  readonly #routes: [method: string, path: RegExp, handler: Handler][];

  /** `broker` is the real Kafka's address, host:port, without encryption or login. */
  constructor(broker: string) {
    this.#broker = broker;
    const topics = /^\/v1\/clusters\/([^/]+)\/topics$/;
    const topic = /^\/v1\/clusters\/([^/]+)\/topics\/([^/]+)$/;
    const secrets = /^\/v1\/clusters\/([^/]+)\/scram-secrets$/;
    const configurations = /^\/v1\/configurations$/;
    const configuration = /^\/v1\/configurations\/([^/]+)$/;
    this.#routes = [
      ['GET', /^\/v1\/clusters\/([^/]+)\/bootstrap-brokers$/, () => this.#brokers()],
      ['POST', topics, (input, [cluster = '']) => this.#createTopic(cluster, input)],
      ['GET', topics, (_, [cluster = '']) => this.#listTopics(cluster)],
      ['GET', topic, (_, [cluster = '', name = '']) => this.#describeTopic(cluster, name)],
      ['PUT', topic, (input, [cluster = '', name = '']) => this.#updateTopic(cluster, name, input)],
      ['DELETE', topic, (_, [cluster = '', name = '']) => this.#deleteTopic(cluster, name)],
      ['POST', secrets, (input, [cluster = '']) => this.#addSecrets(cluster, input)],
      ['PATCH', secrets, (input, [cluster = '']) => this.#dropSecrets(cluster, input)],
      ['GET', secrets, (_, [cluster = '']) => ok({ secretArnList: [...(this.#secrets.get(cluster) ?? [])] })],
      ['POST', configurations, (input) => this.#createConfiguration(input)],
      ['GET', configurations, () => ok({ configurations: [...this.#configurations.values()].map(shown) })],
      ['GET', configuration, (_, [arn = '']) => ok(shown(this.#configuration(arn)))],
      ['PUT', configuration, (input, [arn = '']) => this.#updateConfiguration(arn, input)],
      ['DELETE', configuration, (_, [arn = '']) => this.#deleteConfiguration(arn)],
      ['PUT', /^\/v1\/clusters\/([^/]+)\/configuration$/, (_, [clusterArn = '']) => ok({ clusterArn })],
    ];
  }

  /** Whether this answers the request; the rest is moto's. */
  answers(request: Pick<IncomingMessage, 'method' | 'url'>): boolean {
    return this.#routed(request) !== undefined;
  }

  /** Answers one request; never rejects. */
  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const body = (await readBody(request, BODY_BYTES)).toString('utf8');
      const { handler, parts } = this.#routed(request) as { handler: Handler; parts: string[] };
      const answer = await handler(body === '' ? {} : (JSON.parse(body) as Input), parts);
      sendJson(response, answer.status, answer.body);
    } catch (error) {
      const told = error instanceof ServiceError ? error : brokerError(error as Error);
      sendJson(response, told.status, { message: told.message }, { 'x-amzn-errortype': told.type });
    }
  }

  #routed({
    method,
    url,
  }: Pick<IncomingMessage, 'method' | 'url'>): { handler: Handler; parts: string[] } | undefined {
    const path = (url ?? '').split('?')[0] ?? '';
    for (const [asked, pattern, handler] of this.#routes) {
      const found = asked === method ? pattern.exec(path) : null;
      if (found) return { handler, parts: found.slice(1).map(decodeURIComponent) };
    }
    return undefined;
  }

  #brokers(): Answer {
    return ok({
      bootstrapBrokerString: this.#broker,
      bootstrapBrokerStringSaslIam: this.#broker,
      bootstrapBrokerStringSaslScram: this.#broker,
      bootstrapBrokerStringTls: this.#broker,
    });
  }

  async #createTopic(cluster: string, input: Input): Promise<Answer> {
    const { topicName: topic = '', partitionCount = 1, replicationFactor = 1, configs } = input;
    await this.#asAdmin(async (admin) => {
      const configEntries = Object.entries(topicConfigs(configs)).map(([name, value]) => ({ name, value }));
      // One broker stands in for the cluster: it can hold one replica.
      const made = await createTopics(admin, [
        { topic, numPartitions: partitionCount, replicationFactor: 1, configEntries },
      ]);
      if (!made) throw new ServiceError(409, 'ConflictException', `Topic ${topic} exists`);
    });
    const arn = `${cluster.replace(':cluster/', ':topic/')}/${topic}`;
    this.#topicsOf(cluster).set(topic, { arn, replicas: replicationFactor });
    return ok({ topicArn: arn, topicName: topic, status: 'ACTIVE' });
  }

  async #listTopics(cluster: string): Promise<Answer> {
    const known = [...this.#topicsOf(cluster)];
    const topics = await this.#asAdmin(async (admin) => {
      if (known.length === 0) return [];
      const found = await admin.fetchTopicMetadata({ topics: known.map(([name]) => name) });
      return found.topics.map(({ name, partitions }) => ({ name, partitions: partitions.length }));
    });
    return ok({
      topics: topics.map(({ name, partitions }) => ({
        topicName: name,
        topicArn: this.#topic(cluster, name).arn,
        partitionCount: partitions,
        replicationFactor: this.#topic(cluster, name).replicas,
      })),
    });
  }

  async #describeTopic(cluster: string, name: string): Promise<Answer> {
    const { arn, replicas } = this.#topic(cluster, name);
    return this.#asAdmin(async (admin) => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [name] });
      const described = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type: TOPIC, name }],
      });
      const own = described.resources[0]?.configEntries.filter(({ isDefault }) => !isDefault) ?? [];
      const text = own.map(({ configName, configValue }) => `${configName}=${configValue}\n`).join('');
      return ok({
        topicArn: arn,
        topicName: name,
        replicationFactor: replicas,
        partitionCount: topics[0]?.partitions.length ?? 0,
        configs: Buffer.from(text).toString('base64'),
        status: 'ACTIVE',
      });
    });
  }

  async #updateTopic(cluster: string, name: string, input: Input): Promise<Answer> {
    const { arn } = this.#topic(cluster, name);
    await this.#asAdmin(async (admin) => {
      if (input.partitionCount !== undefined) {
        await admin.createPartitions({ topicPartitions: [{ topic: name, count: input.partitionCount }] });
      }
      if (input.configs !== undefined) {
        const configEntries = Object.entries(topicConfigs(input.configs)).map(([key, value]) => ({
          name: key,
          value,
        }));
        await admin.alterConfigs({
          validateOnly: false,
          resources: [{ type: TOPIC, name, configEntries }],
        });
      }
    });
    return ok({ topicArn: arn, topicName: name, status: 'ACTIVE' });
  }

  async #deleteTopic(cluster: string, name: string): Promise<Answer> {
    const { arn } = this.#topic(cluster, name);
    await this.#asAdmin((admin) => admin.deleteTopics({ topics: [name] }));
    this.#topicsOf(cluster).delete(name);
    return ok({ topicArn: arn, topicName: name, status: 'DELETING' });
  }

  #addSecrets(cluster: string, { secretArnList = [] }: Input): Answer {
    this.#secrets.set(cluster, new Set([...(this.#secrets.get(cluster) ?? []), ...secretArnList]));
    return ok({ clusterArn: cluster, unprocessedScramSecrets: [] });
  }

  #dropSecrets(cluster: string, { secretArnList = [] }: Input): Answer {
    for (const arn of secretArnList) this.#secrets.get(cluster)?.delete(arn);
    return ok({ clusterArn: cluster, unprocessedScramSecrets: [] });
  }

  #createConfiguration({
    name = '',
    description = '',
    kafkaVersions = [],
    serverProperties = '',
  }: Input): Answer {
    if ([...this.#configurations.values()].some((known) => known.name === name)) {
      throw new ServiceError(409, 'ConflictException', `A configuration ${name} exists`);
    }
    const creationTime = new Date().toISOString();
    const arn = `arn:aws:kafka:us-east-1:123456789012:configuration/${name}/${crypto.randomUUID()}-1`;
    const made: Configuration = {
      ...{ arn, name, description, kafkaVersions, state: 'ACTIVE', creationTime, serverProperties },
      latestRevision: { creationTime, revision: 1, description },
    };
    this.#configurations.set(arn, made);
    return ok(shown(made));
  }

  #updateConfiguration(arn: string, { description = '', serverProperties = '' }: Input): Answer {
    const known = this.#configuration(arn);
    known.serverProperties = serverProperties;
    known.latestRevision = {
      creationTime: new Date().toISOString(),
      revision: known.latestRevision.revision + 1,
      description,
    };
    return ok({ arn, latestRevision: known.latestRevision });
  }

  #deleteConfiguration(arn: string): Answer {
    this.#configuration(arn);
    this.#configurations.delete(arn);
    return ok({ arn, state: 'DELETING' });
  }

  #configuration(arn: string): Configuration {
    const known = this.#configurations.get(arn);
    if (known === undefined)
      throw new ServiceError(404, 'NotFoundException', `There is no configuration ${arn}`);
    return known;
  }

  #topicsOf(cluster: string): Map<string, { arn: string; replicas: number }> {
    const known = this.#topics.get(cluster) ?? new Map();
    this.#topics.set(cluster, known);
    return known;
  }

  #topic(cluster: string, name: string): { arn: string; replicas: number } {
    const known = this.#topicsOf(cluster).get(name);
    if (known === undefined)
      throw new ServiceError(404, 'NotFoundException', `There is no topic ${name} in ${cluster}`);
    return known;
  }

  async #asAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const kafka = new Kafka({ brokers: [this.#broker], clientId: 'msk-api', logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    try {
      return await work(admin);
    } finally {
      await admin.disconnect();
    }
  }
}

function brokerError(error: Error): ServiceError {
  const code = (error as KafkaJSProtocolError).type;
  if (code === 'INVALID_CONFIG' || code === 'INVALID_PARTITIONS')
    return new ServiceError(400, 'BadRequestException', error.message);
  return new ServiceError(500, 'InternalServerErrorException', `The broker refused: ${error.message}`);
}

/** `cleanup.policy=delete\nretention.ms=604800000`, in base64, as an object. */
function topicConfigs(base64: string | undefined): Record<string, string> {
  const lines = Buffer.from(base64 ?? '', 'base64')
    .toString('utf8')
    .split('\n');
  const pairs = lines.map((line) => line.trim()).filter((line) => line !== '');
  return Object.fromEntries(
    pairs.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

function shown({ serverProperties: _, ...configuration }: Configuration): object {
  return configuration;
}

function ok(body: unknown): Answer {
  return { status: 200, body };
}
