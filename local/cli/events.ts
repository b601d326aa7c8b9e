import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { Kafka, type KafkaMessage, logLevel } from 'kafkajs';
import { ChangeEventReader } from '../../functions/cdc/change-event.ts';
import type { PackEvent } from '../../functions/cdc/pack.ts';
import { UnreadableRecord } from '../../functions/cdc/unreadable-record.ts';
import { pipeRecord } from '../pipe/event.ts';
import { type Secrets, statePaths } from '../state.ts';
import { address, capturedTable, readRegistry, runningTwin } from './context.ts';
import { paint } from './output.ts';

type Options = { state?: string; fromBeginning?: boolean };

const OPERATIONS = {
  c: ['INSERT', 'green'],
  r: ['SNAPSHOT', 'cyan'],
  u: ['UPDATE', 'yellow'],
  d: ['DELETE', 'red'],
  t: ['TRUNCATE', 'magenta'],
  begin: ['BEGIN', 'gray'],
  end: ['END', 'gray'],
} as const;

/** Longest value shown of one column, in characters. */
const VALUE_WIDTH = 60;

function fields(row: Readonly<Record<string, unknown>>, unchanged: readonly string[]): string {
  return Object.entries(row)
    .map(([name, value]) => {
      if (unchanged.includes(name)) return `${name}=${paint('gray', '(unchanged)')}`;
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      return `${name}=${text.length > VALUE_WIDTH ? `${text.slice(0, VALUE_WIDTH)}...` : text}`;
    })
    .join(' ');
}

/** One change on one line: when it was made, what it was, which row, and the row after it. */
export function describeEvent(event: PackEvent): string {
  const [name, colour] = OPERATIONS[event.op];
  const { after } = JSON.parse(event.payload) as { after?: Record<string, unknown> | null };
  const key = event.key === null ? '' : fields(JSON.parse(event.key), []);
  const moved = event.prior_key === null ? '' : ` (was ${fields(JSON.parse(event.prior_key), [])})`;
  const row = after ? `  ${fields(after, event.unchanged)}` : '';
  const when = paint('gray', `${event.offset.padStart(6)} ${event.source_ts ?? ''}`);
  return `${when} ${paint(colour, name.padEnd(8))} ${paint('bold', key)}${moved}${row}`;
}

async function followTopic(
  broker: string,
  topic: string,
  fromBeginning: boolean,
  onMessage: (partition: number, message: KafkaMessage) => void,
): Promise<void> {
  const kafka = new Kafka({ clientId: 'cdc-events', brokers: [broker], logLevel: logLevel.NOTHING });
  const groupId = `cdc-events-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId });
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
  });
  const broken = new Promise<never>((_, reject) => {
    consumer.on('consumer.crash', ({ payload }) => reject(payload.error));
  });
  await consumer.connect();
  try {
    await consumer.subscribe({ topic, fromBeginning });
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ partition, message }) => onMessage(partition, message),
    });
    await Promise.race([interrupted, broken]);
  } finally {
    await consumer.disconnect();
  }
}

export function registerEvents(program: Command): void {
  program
    .command('events')
    .description('show the changes of a table as they reach Kafka, until Ctrl-C')
    .argument('<table>', 'a captured table: users, public.users')
    .option('--from-beginning', 'show what the topic holds first')
    .option('--state <folder>', 'the state folder of the twin')
    .action(async (name: string, options: Options) => {
      const registry = readRegistry();
      const { topic } = capturedTable(registry, name);
      const { root, state } = runningTwin(options.state);
      const { placeholders } = JSON.parse(readFileSync(statePaths(root).secrets, 'utf8')) as Secrets;
      const reader = new ChangeEventReader(placeholders[registry.epoch] ?? '');
      console.error(`Changes in ${topic}, Ctrl-C ends:`);
      await followTopic(
        address(state, 'kafka'),
        topic,
        options.fromBeginning === true,
        (partition, message) => {
          if (message.value === null) return;
          try {
            console.log(
              describeEvent(reader.read(pipeRecord({ clusterArn: '', topic, partition }, message)).event),
            );
          } catch (error) {
            if (!(error instanceof UnreadableRecord)) throw error;
            console.log(`${message.offset.padStart(6)} ${paint('red', `can't be read: ${error.message}`)}`);
          }
        },
      );
    });
}
