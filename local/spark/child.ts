import { delimiter, join } from 'node:path';
import { type Deployment, glueDatabase } from '../../functions/cdc/names.ts';
import { REGION } from '../aws/platform.ts';
import { JARS } from '../process/java.ts';
import type { Supervisor } from '../process/supervisor.ts';
import { type OwnedState, PROJECT_ROOT } from '../state.ts';

const PROBE_TIMEOUT_MS = 2_000;
const HEAP = '1g';

export type SparkOptions = {
  port: number;
  /** Where the jobs find S3. */
  endpointUrl: string;
  bucket: string;
  deployment: Deployment;
  /** Bucket of the Iceberg tables; by default the same. */
  warehouseBucket?: string;
  /** Folder, or archive, of the package `lakehouse` and folder of `job.py`; by default the checkout's. */
  code?: string[];
};

/** Starts the Spark worker and waits until its session is open. Returns its URL. */
export async function startSpark(
  supervisor: Supervisor,
  state: OwnedState,
  { port, endpointUrl, bucket, deployment, warehouseBucket = bucket, code }: SparkOptions,
): Promise<string> {
  const url = `http://127.0.0.1:${port}`;
  const { root, lake, catalog } = state.paths;
  await supervisor.start({
    name: 'spark',
    command: join(PROJECT_ROOT, '.venv', 'bin', 'python'),
    args: [
      join(PROJECT_ROOT, 'local', 'spark', 'worker.py'),
      ...['--port', String(port)],
      ...['--bucket', bucket],
      ...['--database', glueDatabase(deployment)],
      ...['--jars', JARS.spark],
      ...['--catalog', catalog],
      ...['--warehouse', join(lake, warehouseBucket, 'warehouse')],
      ...['--scratch', join(root, 'spark')],
      ...['--memory', HEAP],
    ],
    env: {
      AWS_ENDPOINT_URL: endpointUrl,
      AWS_DEFAULT_REGION: REGION,
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_PROFILE: undefined,
      AWS_SESSION_TOKEN: undefined,
      PYTHONUNBUFFERED: '1',
      ...(code ? { LAKEHOUSE_CODE: code.join(delimiter) } : {}),
      PYTHONDONTWRITEBYTECODE: '1',
      // Of the JVM that only puts Spark's command together; the session's own are in session.py.
      SPARK_LAUNCHER_OPTS: '-XX:-UsePerfData',
    },
    isReady: async () => {
      const answer = await fetch(`${url}/health`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
      return ((await answer.json()) as { status: string }).status === 'ready';
    },
    readyWithinMs: 240_000,
    stopSignal: 'SIGTERM',
    stopWithinMs: 5_000,
    stopAfter: [],
    restart: { limit: 10, windowMs: 60_000 },
  });
  return url;
}
