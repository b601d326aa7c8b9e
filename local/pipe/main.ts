import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parseRegistry } from '../../functions/cdc/registry.ts';
import { pipePlans } from './plan.ts';
import { lambdaEnrichment, s3Landing } from './ports.ts';
import { startPipes } from './runner.ts';

/** The pipe runner's process; its AWS clients follow AWS_ENDPOINT_URL and AWS_REGION. */
const { values } = parseArgs({
  options: {
    broker: { type: 'string' },
    bucket: { type: 'string' },
    function: { type: 'string' },
    registry: { type: 'string' },
    stage: { type: 'string' },
    status: { type: 'string' },
  },
});

const argument = (name: keyof typeof values): string => {
  const value = values[name];
  if (value === undefined) throw new Error(`The pipe runner needs --${name}.`);
  return value;
};

const log = (level: 'info' | 'error', message: string, fields: Record<string, unknown> = {}) => {
  process.stdout.write(`${JSON.stringify({ at: new Date().toISOString(), level, message, ...fields })}\n`);
};

const registry = parseRegistry(readFileSync(argument('registry'), 'utf8'));
const deployment = { project: registry.project, stage: argument('stage') };
const runner = await startPipes({
  deployment,
  broker: argument('broker'),
  plans: pipePlans(deployment, registry),
  enrich: lambdaEnrichment(argument('function')),
  putLanding: s3Landing(argument('bucket')),
  statusFile: argument('status'),
  log,
  onCrash: (error) => {
    // The starter begins anew from the committed offsets.
    log('error', 'pipe runner ends', { error: error.message });
    process.exit(1);
  },
});

let stopping = false;
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, async () => {
    if (stopping) return;
    stopping = true;
    await runner.stop();
    process.exit(0);
  });
}
log('info', 'pipe runner ready', { topics: Object.keys(runner.status().topics) });
