import type { Command } from 'commander';
import type { ShownEvent, TopicRecord } from '../world.ts';
import { capturedTable, interruption, inWorld, type WorldOptions, withWorldOptions } from './context.ts';
import { paint } from './output.ts';

type Options = WorldOptions & { fromBeginning?: boolean };

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
export function describeEvent(event: ShownEvent): string {
  const [name, colour] = OPERATIONS[event.op];
  const { after } = JSON.parse(event.payload) as { after?: Record<string, unknown> | null };
  const key = event.key === null ? '' : fields(JSON.parse(event.key), []);
  const moved = event.prior_key === null ? '' : ` (was ${fields(JSON.parse(event.prior_key), [])})`;
  const row = after ? `  ${fields(after, event.unchanged)}` : '';
  const when = paint('gray', `${event.offset.padStart(6)} ${event.source_ts ?? ''}`);
  return `${when} ${paint(colour, name.padEnd(8))} ${paint('bold', key)}${moved}${row}`;
}

/** One record on one line, readable or not. */
export function describeRecord(record: TopicRecord): string {
  if ('event' in record) return describeEvent(record.event);
  return `${record.offset.padStart(6)} ${paint('red', `can't be read: ${record.unreadable}`)}`;
}

export function registerEvents(program: Command): void {
  const command = program
    .command('events')
    .description('show the changes of a table as they reach Kafka, until Ctrl-C')
    .argument('<table>', 'a captured table: users, public.users')
    .option('--from-beginning', 'show what the topic holds first');
  withWorldOptions(command).action((name: string, options: Options) =>
    inWorld(options, async (world) => {
      const { id, topic } = capturedTable(world.registry, name);
      const signal = interruption();
      console.error(`Changes in ${topic}, Ctrl-C ends:`);
      await world.follow(id, {
        fromBeginning: options.fromBeginning === true,
        signal,
        onRecord: (record) => console.log(describeRecord(record)),
      });
    }),
  );
}
