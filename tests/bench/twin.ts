/**
 * Times the running twin: start to first gold rows, COMMIT to silver's publication, memory of all children together.
 *
 *   npm run bench:twin                  a fresh state folder, sample data at scale 1, 20 single-row changes
 *   npm run bench:twin -- --scale 0.1 --changes 5
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { SFNClient } from '@aws-sdk/client-sfn';
import { Client } from 'pg';
import { latestReportKey } from '../../functions/cdc/names.ts';
import type { LayerReport } from '../../functions/cdc/report.ts';
import { clientSettings } from '../../local/aws/platform.ts';
import { readLsns, untilLanded } from '../../local/caught-up.ts';
import { readRegistry, twinDeployment } from '../../local/cli/context.ts';
import { duration, table } from '../../local/cli/output.ts';
import { runExecution } from '../../local/execution.ts';
import { runContinuously } from '../../local/loop.ts';
import { hideKafkaTimerWarning } from '../../local/process/warnings.ts';
import { ensureSetup } from '../../local/setup/setup.ts';
import { removeState } from '../../local/state.ts';
import { lakeBucket, startTwin, type Twin } from '../../local/twin.ts';

const WARM_UP_CHANGES = 5;
const PUBLISHED_WITHIN_MS = 120_000;
const LANDED_WITHIN_MS = 300_000;

const { values } = parseArgs({
  options: { scale: { type: 'string', default: '1' }, changes: { type: 'string', default: '20' } },
});

/** Proportional set size (bytes shared pages are split over their users) of each child's process group, in bytes. */
async function memoryByChild(twin: Twin): Promise<Record<string, number>> {
  const children = twin.state.read().children;
  const used: Record<string, number> = {};
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, 'latin1').catch(() => '');
    const group = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
    const child = Object.entries(children).find(([, { pid }]) => pid === group)?.[0];
    if (child === undefined) continue;
    const rollup = await readFile(`/proc/${entry}/smaps_rollup`, 'utf8').catch(() => '');
    used[child] = (used[child] ?? 0) + 1024 * Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0);
  }
  return used;
}

function median(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

async function silverReport(twin: Twin, bucket: string): Promise<LayerReport | null> {
  const file = path.join(twin.state.paths.lake, bucket, latestReportKey('silver'));
  return readFile(file, 'utf8').then(
    (text) => JSON.parse(text) as LayerReport,
    () => null,
  );
}

/** Changes one user and waits until silver has published an event at or behind it. Milliseconds from COMMIT. */
async function changeToSilver(twin: Twin, bucket: string, source: Client, id: number): Promise<number> {
  const { current: before } = await readLsns(source, '');
  await source.query('UPDATE public.users SET bio = md5(random()::text), updated_at = now() WHERE id = $1', [
    id,
  ]);
  const committed = performance.now();
  while (performance.now() - committed < PUBLISHED_WITHIN_MS) {
    const report = await silverReport(twin, bucket);
    const users = report?.tables.find((entry) => entry.table === 'public.users');
    if (users?.published && BigInt(users.high_water_lsn ?? 0) >= before) return performance.now() - committed;
    await pause(50);
  }
  throw new Error(`The change of user ${id} was not published within ${PUBLISHED_WITHIN_MS / 1000} s`);
}

hideKafkaTimerWarning();
await ensureSetup(console.log);
const registry = readRegistry();
const deployment = twinDeployment(registry);
const bucket = lakeBucket(deployment);
const scratch = await mkdtemp(path.join(tmpdir(), 'cdc bench '));
const root = path.join(scratch, 'state');
const began = performance.now();
const twin = await startTwin({
  root,
  registry,
  deployment,
  scale: Number(values.scale),
  step: async (name, work) => {
    const start = performance.now();
    const result = await work(() => undefined);
    console.log(`${name}: ${duration(performance.now() - start)}`);
    return result;
  },
  note: console.log,
  onChildEvent: ({ message }) => console.log(message),
});
let peak: Record<string, number> = {};
const total = (used: Record<string, number>) => Object.values(used).reduce((a, b) => a + b, 0);
const sampler = setInterval(async () => {
  const now = await memoryByChild(twin);
  if (total(now) > total(peak)) peak = now;
}, 1_000);
try {
  await untilLanded(twin.urls, { registry, deployment }, LANDED_WITHIN_MS);
  console.log(`all landed after ${duration(performance.now() - began)}`);
  const first = await runExecution(new SFNClient(clientSettings(twin.urls.endpoint)), {
    stateMachineArn: twin.urls.medallion,
    origin: 'bench',
  });
  const firstRows = performance.now() - began;
  const layers = first.steps.filter(({ state }) => ['Bronze', 'Silver', 'Gold'].includes(state));
  for (const { state, enteredAt, exitedAt } of layers)
    console.log(`first ${state}: ${duration((exitedAt ?? enteredAt).getTime() - enteredAt.getTime())}`);

  const stopping = new AbortController();
  const loop = runContinuously({
    endpointUrl: twin.urls.endpoint,
    medallionArn: twin.urls.medallion,
    bucket,
    registry,
    signal: stopping.signal,
    onRun: ({ steps }) => {
      const took = steps
        .filter(
          ({ state, exitedAt }) => exitedAt && !/Verdict|Succeeded|Given|Taken|Accepted|ToDo/.test(state),
        )
        .map(
          ({ state, enteredAt, exitedAt }) =>
            `${state} ${duration((exitedAt as Date).getTime() - enteredAt.getTime())}`,
        );
      console.log(`run: ${took.join(', ')}`);
    },
  });
  const source = new Client({ connectionString: twin.urls.source });
  await source.connect();
  const latencies: number[] = [];
  for (let n = 0; n < WARM_UP_CHANGES + Number(values.changes); n += 1) {
    const took = await changeToSilver(twin, bucket, source, 1 + n);
    if (n >= WARM_UP_CHANGES) latencies.push(took);
    // People don't wait for gold: the next change comes at some moment of the run.
    await pause(Math.random() * 4_000);
  }
  await source.end();
  stopping.abort();
  await loop.catch(() => undefined);
  latencies.sort((a, b) => a - b);
  const rows: [string, string][] = [
    ['start to first gold rows', `${duration(firstRows)} (${first.status})`],
    [`COMMIT to silver, median of ${latencies.length}`, duration(median(latencies))],
    [
      'COMMIT to silver, fastest and slowest',
      `${duration(latencies[0] ?? 0)}, ${duration(latencies.at(-1) ?? 0)}`,
    ],
    ['peak memory of all children', `${(total(peak) / 2 ** 20).toFixed(0)} MiB`],
    ...Object.entries(peak).map(([name, bytes]): [string, string] => [
      `  ${name}`,
      `${(bytes / 2 ** 20).toFixed(0)} MiB`,
    ]),
  ];
  console.log(`\n${table({ columns: ['figure', 'value'], rows })}`);
} finally {
  clearInterval(sampler);
  await twin.stop();
  await removeState(root);
  await rm(scratch, { recursive: true, force: true });
}
