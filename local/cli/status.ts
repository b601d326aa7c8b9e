import type { Command } from 'commander';
import type { AlarmStatus, Status, TableStatus } from '../world.ts';
import { inWorld, type WorldOptions, withWorldOptions } from './context.ts';
import { bytes, paint, type Rows, table } from './output.ts';

type Options = WorldOptions & { json?: boolean };

const COLUMNS = [
  'source_rows',
  'last_lsn',
  'pipe',
  'lag',
  'landed',
  'bronze',
  'silver',
  'quarantined',
  'last_gate',
] as const;

/** Tables from source to silver, a row each. */
export function tableRows(tables: readonly TableStatus[]): Rows {
  return {
    columns: ['table', ...COLUMNS.map((name) => name.replace('_', ' '))],
    rows: tables.map((entry) => [entry.table, ...COLUMNS.map((name) => entry[name] ?? '-')]),
  };
}

/** An instant as people read it, in UTC: 2026-01-31 12:00:05. */
function instant(iso: string | null): string {
  return iso === null ? '-' : iso.slice(0, 19).replace('T', ' ');
}

function capture({ connector, slot }: Status): string {
  return [
    `connector ${connector ? `${connector.state}, snapshot ${connector.snapshot}` : 'unknown'}`,
    connector?.error ? paint('red', connector.error) : '',
    slot?.behind_bytes ? `slot ${bytes(Number(slot.behind_bytes))} of WAL behind the source` : '',
    slot?.problem ? paint('red', slot.problem) : '',
  ]
    .filter(Boolean)
    .join('; ');
}

function alarmLines(alarms: readonly AlarmStatus[]): string {
  if (alarms.length === 0) return paint('green', 'no alarm is on');
  return alarms
    .map(
      ({ alarm, since, reason, what_to_do }) =>
        `${paint('red', `ALARM ${alarm}`)} since ${instant(since)}: ${reason}\n  ${what_to_do}`,
    )
    .join('\n');
}

/** What to do while nothing has run. @param verb `cdc run` for the same world */
function nextStep({ parts, connector }: Status, verb: string): string {
  if (parts.length === 0)
    return 'nothing runs yet: the twin is starting; look again when it says that it is up';
  if (connector?.snapshot === 'complete')
    return `no run yet: \`${verb}\` starts one, and \`npm start\` does by itself`;
  return `no run yet: the first snapshot is ${connector?.snapshot ?? 'not to be seen'}, see \`cdc connectors\`; when it is complete, \`${verb}\` takes it to the lake`;
}

/** A status for people. @param verb `cdc run` for the same world */
export function describeStatus(status: Status, verb = 'cdc run'): string {
  const { place, parts, addresses, tables, models, layers, alarms } = status;
  const sections = [
    paint('bold', place),
    parts.length > 0 &&
      table({
        columns: ['part', 'state', 'since', 'detail'],
        rows: parts.map((p) => [p.part, p.ok ? p.state : paint('red', p.state), instant(p.since), p.detail]),
      }),
    Object.keys(addresses).length > 0 &&
      table({ columns: ['address', 'url'], rows: Object.entries(addresses) }),
    capture(status),
    table(tableRows(tables)),
    models.length > 0
      ? table({
          columns: ['gold model', 'rows', 'last gate'],
          rows: models.map((m) => [m.model, m.rows ?? '-', m.last_gate ?? '-']),
        })
      : 'no gold model yet',
    layers.length > 0
      ? table({
          columns: ['layer', 'run', 'ended', 'batch', 'verdict', 'reason'],
          rows: layers.map((l) => [
            l.layer,
            l.run_id,
            instant(l.finished_at),
            l.batch ?? '-',
            l.verdict,
            l.reason,
          ]),
        })
      : nextStep(status, verb),
    alarms === null ? '' : alarmLines(alarms),
  ];
  return sections.filter(Boolean).join('\n\n');
}

function runVerb({ stage, region, state }: Options): string {
  const where = Object.entries({ stage, region, state }).filter(([, value]) => value !== undefined);
  return ['cdc run', ...where.map(([option, value]) => `--${option} ${value}`)].join(' ');
}

export function registerStatus(program: Command): void {
  const command = program
    .command('status')
    .description('show the parts, their addresses, alarms, and how far each table is')
    .option('--json', 'print it as JSON');
  withWorldOptions(command).action((options: Options) =>
    inWorld(options, async (world) => {
      const status = await world.status();
      console.log(options.json ? JSON.stringify(status, null, 2) : describeStatus(status, runVerb(options)));
      const broken = status.parts.some(({ ok }) => !ok) || status.connector?.state === 'failed';
      if (broken || (status.alarms ?? []).length > 0) process.exitCode = 1;
    }),
  );
}
