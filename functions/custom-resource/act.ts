import { GetBootstrapBrokersCommand, type KafkaClient } from '@aws-sdk/client-kafka';
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { ResourceProperties, ResourceRequest } from './request.ts';
import type { Attributes } from './response.ts';

export type Clients = { lambda: LambdaClient; kafka: KafkaClient };

type FunctionCall = Extract<ResourceProperties, { FunctionName: string }>;

/**
 * Does what a custom resource asks for, and answers the attributes that the template reads.
 * @throws Error that says why it couldn't be done
 */
export async function act(
  { RequestType, ResourceProperties: properties }: ResourceRequest,
  clients: Clients,
  signal: AbortSignal,
): Promise<Attributes> {
  if ('FunctionName' in properties) {
    const payload = properties[RequestType];
    const answer = payload && (await invoke(clients.lambda, properties.FunctionName, payload, signal));
    return RequestType === 'Delete' ? {} : attributesOf(answer ?? {}, properties);
  }
  return RequestType === 'Delete' ? {} : bootstrapBrokers(clients.kafka, properties.ClusterArn, signal);
}

/** Addresses of the brokers, `host:port` separated by commas; CloudFormation's own resource doesn't have them. */
async function bootstrapBrokers(kafka: KafkaClient, ClusterArn: string, abortSignal: AbortSignal) {
  const brokers = await kafka.send(new GetBootstrapBrokersCommand({ ClusterArn }), { abortSignal });
  const { BootstrapBrokerStringSaslScram: scram, BootstrapBrokerStringSaslIam: iam } = brokers;
  if (!scram || !iam) {
    const missing = [...(scram ? [] : ['SASL/SCRAM']), ...(iam ? [] : ['IAM'])].join(' and ');
    throw new Error(
      `${ClusterArn} has no brokers for ${missing}; let its ClientAuthentication have Sasl.Scram and Sasl.Iam.`,
    );
  }
  return { BootstrapBrokersSaslScram: scram, BootstrapBrokersSaslIam: iam };
}

async function invoke(
  lambda: LambdaClient,
  name: string,
  payload: Record<string, unknown>,
  abortSignal: AbortSignal,
): Promise<Record<string, unknown>> {
  const { FunctionError, Payload } = await lambda.send(
    new InvokeCommand({ FunctionName: name, Payload: JSON.stringify(payload) }),
    { abortSignal },
  );
  const answer = parse(name, Payload?.transformToString() ?? '');
  if (FunctionError !== undefined) {
    throw new Error(`${shortName(name)} failed: ${answer['errorMessage'] ?? FunctionError}`);
  }
  // A function that refuses says so in its answer.
  if (answer['ok'] === false) {
    throw new Error(`${shortName(name)} refuses: ${answer['reason'] ?? JSON.stringify(answer)}`);
  }
  return answer;
}

function parse(name: string, text: string): Record<string, unknown> {
  try {
    const answer: unknown = JSON.parse(text);
    return answer !== null && typeof answer === 'object' ? (answer as Record<string, unknown>) : {};
  } catch (error) {
    throw new Error(`${shortName(name)} answered no JSON: ${text.slice(0, 200)}`, { cause: error });
  }
}

/** The template can refer to texts only. */
function attributesOf(
  answer: Record<string, unknown>,
  { FunctionName, Attributes }: FunctionCall,
): Attributes {
  return Object.fromEntries(
    Attributes.map((name) => {
      const value = answer[name];
      if (value === undefined) {
        throw new Error(`${shortName(FunctionName)} answered no ${name}, which Attributes asks for.`);
      }
      return [name, typeof value === 'string' ? value : JSON.stringify(value)];
    }),
  );
}

function shortName(name: string): string {
  return `The function ${name.split(':').at(-1)}`;
}
