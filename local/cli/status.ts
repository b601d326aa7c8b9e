import type { Command } from 'commander';
import { readTwinStatus, type Status, type TableStatus } from '../status.ts';
import { readRegistry, runningTwin, twinDeployment } from './context.ts';
import { paint, type Rows, table } from './output.ts';

type Options = { state?: string; json?: boolean };

const COLUMNS = [
  'source_rows',
  'last_lsn',
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

function describe(status: Status): string {
  const { children, urls, connector, slot, tables, models, layers } = status;
  const parts = [
    table({
      columns: ['child', 'pid', 'state', 'since', 'log'],
      rows: children.map((c) => [c.name, c.pid, c.running ? 'running' : 'dead', c.since.slice(0, 19), c.log]),
    }),
    table({
      columns: ['address', 'url'],
      rows: Object.entries(urls),
    }),
    [
      `connector ${connector ? `${connector.state}, snapshot ${connector.snapshot}` : 'unknown'}`,
      connector?.error ? paint('red', connector.error) : '',
      slot?.behind_bytes ? `slot ${slot.behind_bytes} bytes of WAL behind the source` : '',
    ]
      .filter(Boolean)
      .join('; '),
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
            l.finished_at.slice(0, 19),
            l.batch ?? '-',
            l.verdict,
            l.reason,
          ]),
        })
      : 'no run yet: `cdc run` starts one',
  ];
  return parts.join('\n\n');
}

/** The replication role's address is the twin's own business. */
function withoutHeartbeat(status: Status): Status {
  const { heartbeat: _, ...urls } = status.urls;
  return { ...status, urls };
}

export function registerStatus(program: Command): void {
  program
    .command('status')
    .description('show children, addresses, and how far each table is')
    .option('--json', 'print it as JSON')
    .option('--state <folder>', 'the state folder of the twin')
    .action(async (options: Options) => {
      const registry = readRegistry();
      const status = await readTwinStatus({
        ...runningTwin(options.state),
        registry,
        deployment: twinDeployment(registry),
      });
      console.log(
        options.json ? JSON.stringify(withoutHeartbeat(status), null, 2) : describe(withoutHeartbeat(status)),
      );
      const dead = status.children.filter(({ running }) => !running);
      if (dead.length > 0 || status.connector?.state === 'failed') process.exitCode = 1;
    });
}
