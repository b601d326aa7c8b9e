/** The compact view of a running twin: tables from left to right, the run at work, the last one's end. */
import logUpdate from 'log-update';
import type { Deployment } from '../../functions/cdc/names.ts';
import type { Registry } from '../../functions/cdc/registry.ts';
import type { RunResult, StateStep } from '../execution.ts';
import { readTwinStatus } from '../status.ts';
import type { Twin } from '../twin.ts';
import type { Status } from '../world.ts';
import { runVerdict } from './machine.ts';
import { duration, paint, table } from './output.ts';
import { tableRows } from './status.ts';

const REFRESH_EVERY_MS = 2_000;

/** On a terminal the view is redrawn in place; elsewhere a line is printed for each run. */
export class LiveView {
  readonly #live = process.stdout.isTTY === true;
  readonly #read: () => Promise<Status>;
  #timer: NodeJS.Timeout | undefined;
  #status: Status | undefined;
  #steps: readonly StateStep[] = [];
  #last: RunResult | undefined;
  #runs = 0;
  #refreshing = false;
  #printed = '';

  constructor(twin: Twin, { registry, deployment }: { registry: Registry; deployment: Deployment }) {
    const { root } = twin.state.paths;
    this.#read = () => readTwinStatus({ root, state: twin.state.read(), registry, deployment });
  }

  start(): void {
    console.log('Change rows with SQL, or with `npm run workload`; the lake follows. Ctrl-C stops.\n');
    if (!this.#live) return;
    this.#timer = setInterval(() => void this.#refresh(), REFRESH_EVERY_MS);
    void this.#refresh();
  }

  stop(): void {
    clearInterval(this.#timer);
    if (this.#live) logUpdate.done();
  }

  /** Prints a line above the view; the same line is not printed twice in a row. */
  readonly print = (line: string): void => {
    if (line === this.#printed) return;
    this.#printed = line;
    if (this.#live) logUpdate.clear();
    console.log(line);
    this.#draw();
  };

  readonly steps = (steps: readonly StateStep[]): void => {
    this.#steps = steps;
    this.#draw();
  };

  readonly run = (result: RunResult): void => {
    this.#last = result;
    this.#runs += 1;
    this.#steps = [];
    if (this.#live) this.#draw();
    else console.log(runVerdict(result));
  };

  async #refresh(): Promise<void> {
    if (this.#refreshing) return;
    this.#refreshing = true;
    try {
      this.#status = await this.#read();
      this.#draw();
    } finally {
      this.#refreshing = false;
    }
  }

  #draw(): void {
    if (!this.#live || !this.#status) return;
    const { tables, models, connector } = this.#status;
    const at = this.#steps.at(-1);
    const run = at
      ? `${paint('cyan', at.state)} ${paint('gray', duration(Date.now() - (this.#steps[0]?.enteredAt.getTime() ?? Date.now())))}`
      : 'waiting for something to land';
    logUpdate(
      [
        table(tableRows(tables)),
        '',
        `gold       ${models.map(({ model, rows }) => `${model} ${rows ?? '-'}`).join(', ') || '-'}`,
        `connector  ${connector ? `${connector.state}${connector.error ? `: ${connector.error}` : ''}` : 'does not answer'}`,
        `run ${String(this.#runs + (at ? 1 : 0)).padEnd(6)} ${run}`,
        `last run   ${this.#last ? runVerdict(this.#last) : '-'}`,
      ].join('\n'),
    );
  }
}
