import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { SFNClient } from '@aws-sdk/client-sfn';
import type { Command } from 'commander';
import { type Deployment, lakeTable } from '../../functions/cdc/names.ts';
import type { Registry } from '../../functions/cdc/registry.ts';
import { clientSettings } from '../aws/platform.ts';
import { untilLanded } from '../caught-up.ts';
import { runExecution } from '../execution.ts';
import { runContinuously } from '../loop.ts';
import { ownSourceUrl } from '../postgres/own-source.ts';
import { ensureSetup } from '../setup/setup.ts';
import { queryLake } from '../spark/lake-query.ts';
import { assertUsable, PROJECT_ROOT, stateRoot } from '../state.ts';
import { lakeBucket, startTwin, type Twin } from '../twin.ts';
import { UsageError } from '../usage-error.ts';
import { readRegistry, twinDeployment } from './context.ts';
import { LiveView } from './live-view.ts';
import { printStatesOnce, runVerdict } from './machine.ts';
import { duration, paint, table } from './output.ts';
import { showSteps } from './steps.ts';

type Options = { once?: boolean; scale: string; state?: string };

const TOP_ROWS = 5;
const LANDED_WITHIN_MS = 10 * 60_000;

/** The names of the gold models: the folders of sql/gold. */
function goldModels(): string[] {
  return readdirSync(join(PROJECT_ROOT, 'sql', 'gold'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

function scaleOf(text: string): number {
  const scale = Number(text);
  if (Number.isFinite(scale) && scale > 0 && scale <= 100) return scale;
  throw new UsageError(`--scale must be a number above 0 and at most 100, not ${text}.`);
}

async function printTops(twin: Twin, deployment: Deployment): Promise<void> {
  for (const model of goldModels()) {
    const name = lakeTable(deployment, 'gold', model);
    const { columns } = await queryLake(twin.urls.spark, `SELECT * FROM ${name} LIMIT 0`, 1);
    const shown = columns.filter((column) => column !== '_batch' && column !== 'processed_at').slice(0, 9);
    const order = columns.find((column) => /(spent|revenue)$/.test(column)) ?? columns[0];
    const rows = await queryLake(
      twin.urls.spark,
      `SELECT ${shown.join(', ')} FROM ${name} ORDER BY ${order} DESC`,
      TOP_ROWS,
    );
    console.log(`\n${paint('bold', name)} by ${order}\n${table(rows)}`);
  }
}

function printAddresses({ urls }: Twin): void {
  console.log(`
  PostgreSQL    ${urls.source}
  Kafka         ${urls.kafka}
  AWS endpoint  ${urls.endpoint}   (AWS_ENDPOINT_URL)
`);
}

/** Waits for the snapshot to land, runs the medallion and prints gold. Whether the run succeeded. */
async function runFirst(
  twin: Twin,
  captured: { registry: Registry; deployment: Deployment },
  signal: AbortSignal,
): Promise<boolean> {
  await untilLanded(twin.urls, captured, LANDED_WITHIN_MS, signal);
  const result = await runExecution(new SFNClient(clientSettings(twin.urls.endpoint)), {
    stateMachineArn: twin.urls.medallion,
    origin: 'start',
    signal,
    onSteps: printStatesOnce(console.log),
  });
  console.log(runVerdict(result));
  if (result.status !== 'SUCCEEDED') return false;
  await printTops(twin, captured.deployment);
  return true;
}

export function registerStart(program: Command): void {
  program
    .command('start')
    .description('start everything and keep the lake up to date until Ctrl-C')
    .option('--once', 'stop after the first complete run and print the top of each gold table')
    .option('--scale <n>', 'size of the sample data; 1 is 5,000 users, 500 products and 50,000 orders', '1')
    .option('--state <folder>', 'where the twin keeps its data (default: CDC_STATE, else .cdc)')
    .addHelpText(
      'after',
      `
A PostgreSQL of yours instead of the sample, its tables as in tables.yml:
  CDC_SOURCE_URL=postgresql://user:password@host:port/database npm start`,
    )
    .action(async (options: Options) => {
      const began = performance.now();
      const registry = readRegistry();
      const deployment = twinDeployment(registry);
      const scale = scaleOf(options.scale);
      const sourceUrl = ownSourceUrl(process.env);
      const root = stateRoot(options.state);
      assertUsable(root);
      await ensureSetup(console.log);

      const stopping = new AbortController();
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort());
      const steps = showSteps();
      let view: LiveView | undefined;
      let twin: Twin | undefined;
      try {
        twin = await startTwin({
          root,
          registry,
          deployment,
          scale,
          ...(sourceUrl ? { sourceUrl } : {}),
          step: steps.step,
          note: steps.note,
          onChildEvent: ({ message }) => (view ? view.print(message) : steps.note(message)),
          signal: stopping.signal,
        }).finally(() => steps.close());
        printAddresses(twin);
        if (options.once) {
          const succeeded = await runFirst(twin, { registry, deployment }, stopping.signal);
          if (!succeeded) process.exitCode = 1;
          console.log(paint('gray', `\nin ${duration(performance.now() - began)}`));
        } else {
          view = new LiveView(twin, { registry, deployment });
          view.start();
          await runContinuously({
            endpointUrl: twin.urls.endpoint,
            medallionArn: twin.urls.medallion,
            bucket: lakeBucket(deployment),
            registry,
            signal: stopping.signal,
            onSteps: view.steps,
            onRun: view.run,
            onTrouble: view.print,
          });
        }
      } catch (error) {
        if (!stopping.signal.aborted) throw error;
      } finally {
        view?.stop();
        if (twin) {
          console.log('Stopping ...');
          await twin.stop();
        }
      }
    });
}
