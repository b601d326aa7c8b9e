import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ResourceInUseException,
} from '@aws-sdk/client-dynamodb';
import { BucketAlreadyOwnedByYou, CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import {
  CreateSecretCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import {
  CreateStateMachineCommand,
  ListStateMachinesCommand,
  SFNClient,
  UpdateStateMachineCommand,
} from '@aws-sdk/client-sfn';
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { ACCOUNT, deployedName } from './lambda/function.ts';
import { loadStateMachine, type TimeScale } from './state-machine.ts';

export const REGION = 'us-east-1';

/** What the AWS clients of the twin are made with. */
export function clientSettings(endpointUrl: string) {
  return {
    endpoint: endpointUrl,
    region: REGION,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  };
}

export type PlatformOptions = {
  endpointUrl: string;
  project: string;
  stage: string;
  bucket: string;
  /** Where the jobs find `sql/` and `tables.yml` unless an execution's input says otherwise. */
  assets: string;
  /** What the functions read from Secrets Manager, by secret id. */
  secrets?: Readonly<Record<string, string>>;
  scale?: TimeScale;
};

/** What was made, by the addresses under which it is used. */
export type Platform = {
  lockTable: string;
  alertTopicArn: string;
  /** Everything sent to the topic, for showing alerts; raw messages. */
  alertQueueUrl: string;
  medallionArn: string;
  maintenanceArn: string;
  backfillArn: string;
};

const STATE_MACHINES = fileURLToPath(new URL('../../statemachines/', import.meta.url));

/** What a pipe of the twin holds back before it writes a file, generously. */
const LANDING_SECONDS = '3';

/** `cdc-demo-dev-run-lock`. */
export function lockTableName(deployment: { project: string; stage: string }): string {
  return deployedName(deployment, 'run-lock');
}

/** Makes the state machines and what they need in the endpoint. Again with other options: what is there is kept or updated. */
export async function createPlatform(options: PlatformOptions): Promise<Platform> {
  const settings = clientSettings(options.endpointUrl);
  const lockTable = lockTableName(options);
  await createBucket(new S3Client(settings), options.bucket);
  await createLockTable(new DynamoDBClient(settings), lockTable);
  const alerts = await createAlerts(settings, deployedName(options, 'alerts'));
  await putSecrets(new SecretsManagerClient(settings), options.secrets ?? {});
  const sfn = new SFNClient(settings);
  const substitutions = substitutionsOf(options, alerts.topicArn);
  const put = (machine: keyof typeof substitutions) =>
    putStateMachine(
      sfn,
      deployedName(options, machine),
      loadStateMachine(`${STATE_MACHINES}${machine}.asl.yml`, substitutions[machine], options.scale),
    );
  return {
    lockTable,
    alertTopicArn: alerts.topicArn,
    alertQueueUrl: alerts.queueUrl,
    medallionArn: await put('medallion'),
    maintenanceArn: await put('maintenance'),
    backfillArn: await put('backfill'),
  };
}

/** The `DefinitionSubstitutions` of the state machines that the twin has. */
export function substitutionsOf(
  deployment: { project: string; stage: string; assets: string },
  alertTopicArn: string,
): Record<'medallion' | 'maintenance' | 'backfill', Record<string, string>> {
  const name = (part: string) => deployedName(deployment, part);
  const functionArn = (part: string) => `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${name(part)}`;
  const common = {
    RunLockFunctionArn: functionArn('run-lock'),
    GateFunctionArn: functionArn('gate'),
    AlertTopicArn: alertTopicArn,
  };
  return {
    medallion: {
      ...common,
      PreflightFunctionArn: functionArn('preflight'),
      BronzeJobName: name('bronze'),
      SilverJobName: name('silver'),
      GoldJobName: name('gold'),
      AssetsUri: deployment.assets,
    },
    maintenance: { ...common, MaintenanceJobName: name('maintenance'), AssetsUri: deployment.assets },
    backfill: {
      ...common,
      SourceFunctionArn: functionArn('source'),
      ConnectorFunctionArn: functionArn('connector'),
      EventsFunctionArn: functionArn('events'),
      MedallionArn: `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:${name('medallion')}`,
      LandingSeconds: LANDING_SECONDS,
    },
  };
}

async function createBucket(s3: S3Client, bucket: string): Promise<void> {
  try {
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  } catch (error) {
    if (!(error instanceof BucketAlreadyOwnedByYou)) throw error;
  }
}

async function createLockTable(dynamo: DynamoDBClient, table: string): Promise<void> {
  try {
    await dynamo.send(
      new CreateTableCommand({
        TableName: table,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'lock', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'lock', KeyType: 'HASH' }],
      }),
    );
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
  }
  await waitUntilActive(dynamo, table);
}

async function waitUntilActive(dynamo: DynamoDBClient, table: string): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const { Table } = await dynamo.send(new DescribeTableCommand({ TableName: table }));
    if (Table?.TableStatus === 'ACTIVE') return;
    await pause(100);
  }
  throw new Error(`DynamoDB table ${table} did not become active in 5 s`);
}

async function createAlerts(
  settings: ReturnType<typeof clientSettings>,
  name: string,
): Promise<{ topicArn: string; queueUrl: string }> {
  const sns = new SNSClient(settings);
  const sqs = new SQSClient(settings);
  const { TopicArn: topicArn } = await sns.send(new CreateTopicCommand({ Name: name }));
  const { QueueUrl: queueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['QueueArn'] }),
  );
  if (!topicArn || !queueUrl || !Attributes?.['QueueArn']) throw new Error(`SNS or SQS made no ${name}`);
  await sns.send(
    new SubscribeCommand({
      TopicArn: topicArn,
      Protocol: 'sqs',
      Endpoint: Attributes['QueueArn'],
      Attributes: { RawMessageDelivery: 'true' },
    }),
  );
  return { topicArn, queueUrl };
}

async function putSecrets(
  manager: SecretsManagerClient,
  secrets: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [id, text] of Object.entries(secrets)) {
    try {
      await manager.send(new CreateSecretCommand({ Name: id, SecretString: text }));
    } catch (error) {
      if (!(error instanceof ResourceExistsException)) throw error;
      await manager.send(new PutSecretValueCommand({ SecretId: id, SecretString: text }));
    }
  }
}

async function putStateMachine(sfn: SFNClient, name: string, definition: string): Promise<string> {
  const roleArn = `arn:aws:iam::${ACCOUNT}:role/${name}`;
  const { stateMachines } = await sfn.send(new ListStateMachinesCommand({ maxResults: 1000 }));
  const existing = stateMachines?.find((machine) => machine.name === name)?.stateMachineArn;
  if (existing) {
    await sfn.send(new UpdateStateMachineCommand({ stateMachineArn: existing, definition, roleArn }));
    return existing;
  }
  const { stateMachineArn } = await sfn.send(
    new CreateStateMachineCommand({ name, definition, roleArn, type: 'STANDARD' }),
  );
  if (!stateMachineArn) throw new Error(`Step Functions made no state machine ${name}`);
  return stateMachineArn;
}
