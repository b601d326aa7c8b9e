import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import type { LayerReport, TableReport } from '../../functions/cdc/report.ts';
import { choosePorts } from '../../local/process/ports.ts';

/**
 * What the next run of a job does; the plan of a job that nothing was said about is to succeed with a sound report.
 * `meanwhile` is done before the run is answered. `deaf`: the run goes on when asked to stop.
 */
export type Plan = { meanwhile?: () => void | Promise<void> } & (
  | { answer: number }
  | { end: 'SUCCEEDED' | 'FAILED' | 'STOPPED'; error?: string; report?: Partial<LayerReport> | 'none' }
  | { end: 'never'; deaf?: boolean }
);

type Run = {
  id: string;
  job: string;
  args: Record<string, string>;
  state: string;
  error: string | null;
  deaf: boolean;
};

/**
 * Stands for the Spark worker: its HTTP API (docs/architecture.md), with jobs that do as told and write the reports
 * that they are told to. The one part of these tests that is not the real one.
 */
export class PlannedWorker {
  readonly runs: Run[] = [];
  readonly #plans = new Map<string, Plan[]>();
  readonly #bucketFolder: string;
  readonly #server: Server;

  constructor(bucketFolder: string) {
    this.#bucketFolder = bucketFolder;
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  /** On a port of no outgoing connection: after a crash it must be free again, and nobody's meanwhile. */
  async listen(again?: number): Promise<string> {
    const port = again ?? (await choosePorts(['worker'], {}))['worker'];
    this.#server.listen({ port, host: '127.0.0.1' });
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${port}`;
  }

  /** What the next runs of a layer's job do, one after the other. */
  plan(layer: string, ...plans: Plan[]): void {
    this.#plans.set(layer, plans);
  }

  /** The runs of a layer so far. */
  runsOf(layer: string): Run[] {
    return this.runs.filter(({ job }) => job === layer || job.endsWith(`-${layer}`));
  }

  /** Ends the runs of a layer that are on, with a sound report. */
  finish(layer: string): void {
    for (const run of this.runsOf(layer).filter(({ state }) => state === 'RUNNING')) {
      run.state = 'SUCCEEDED';
      this.#report(run.args, {});
    }
  }

  get listening(): boolean {
    return this.#server.listening;
  }

  /** Forgets plans and runs. */
  clear(): void {
    this.#plans.clear();
    this.runs.length = 0;
  }

  /** Dies as a process does: connections break, nothing is remembered. */
  async crash(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
    this.runs.length = 0;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    const send = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    const [path = '', query] = (request.url ?? '').split('?');
    const [, , id, action] = path.split('/');
    if (request.method === 'POST' && id === undefined) {
      return this.#start(JSON.parse(Buffer.concat(parts).toString()), send);
    }
    if (id === undefined) {
      const job = new URLSearchParams(query).get('job');
      return void send(200, {
        runs: this.runs
          .filter((run) => run.job === job)
          .map(described)
          .reverse(),
      });
    }
    const run = this.runs.find((candidate) => candidate.id === id);
    if (run === undefined) return void send(404, { error: 'no such run' });
    if (action === 'stop' && !run.deaf) run.state = 'STOPPED';
    send(200, described(run));
  }

  async #start(
    asked: { job: string; args: Record<string, string> },
    send: (status: number, body: unknown) => unknown,
  ): Promise<void> {
    if (this.runs.some(({ job, state }) => job === asked.job && state === 'RUNNING')) {
      return void send(409, { error: 'the job is running' });
    }
    const layer = asked.args['--layer'] ?? '';
    const plan = this.#plans.get(layer)?.shift() ?? { end: 'SUCCEEDED' };
    await plan.meanwhile?.();
    if ('answer' in plan) return void send(plan.answer, { error: 'as planned' });
    const id = `jr_${this.runs.length}_${Date.now()}`;
    const run: Run = { id, ...asked, state: 'RUNNING', error: null, deaf: false };
    this.runs.push(run);
    if (plan.end === 'never') run.deaf = plan.deaf ?? false;
    else {
      run.state = plan.end;
      run.error = plan.error ?? null;
      if (plan.report !== 'none') this.#report(asked.args, plan.report ?? {});
    }
    send(200, { id });
  }

  #report(args: Record<string, string>, report: Partial<LayerReport>): void {
    const layer = args['--layer'] as LayerReport['layer'];
    const text = JSON.stringify(soundReport(args['--run_id'] ?? '', layer, report));
    for (const key of [`reports/${args['--run_id']}/${layer}.json`, `reports/latest/${layer}.json`]) {
      const file = join(this.#bucketFolder, key);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
  }
}

/** A run as the worker's API answers it. */
function described(run: Run) {
  const now = new Date().toISOString();
  return { ...run, started_at: now, finished_at: run.state === 'RUNNING' ? null : now };
}

/** A report of a layer where all went well. */
export function soundReport(
  runId: string,
  layer: LayerReport['layer'],
  changes: Partial<LayerReport> = {},
): LayerReport {
  const now = new Date().toISOString();
  return {
    report: 1,
    run_id: runId,
    layer,
    project: 'cdc_demo',
    stage: 'test',
    batch: 1,
    status: 'ok',
    error: null,
    started_at: now,
    finished_at: now,
    duration_ms: 1,
    checks: [],
    tables: [soundTable('public.users'), soundTable('public.orders')],
    ...(layer === 'bronze' ? { partitions: [], listing: { at: now, full: false, recent: [] } } : {}),
    ...changes,
  };
}

/** A table's part of a report where all went well. */
export function soundTable(table: string, changes: Partial<TableReport> = {}): TableReport {
  return {
    table,
    target: `cdc_demo_test_silver_${table.split('.')[1]}`,
    rows_in: 10,
    rows_out: 9,
    duplicates: 1,
    quarantined: 0,
    late: 0,
    published: true,
    held: null,
    snapshot_id: '1',
    batch: 1,
    high_water_lsn: '26724504',
    duration_ms: 1,
    total_rows: 9,
    checks: [{ name: 'unique_key', severity: 'fail', value: 0, limit: 0, passed: true, detail: null }],
    ...changes,
  };
}

/** A table that a failed check holds back. */
export function heldTable(table: string): TableReport {
  const check = {
    name: 'total_not_negative',
    severity: 'fail' as const,
    value: 3,
    limit: 0,
    passed: false,
    detail: null,
  };
  return soundTable(table, { published: false, held: 'total_not_negative failed', checks: [check] });
}
