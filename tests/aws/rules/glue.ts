import { resolve, textOf } from '../physical.ts';
import { ofType, type Problem, type Properties, type Rule, ruleFor, type Template } from '../template.ts';

type GlueProblem = Omit<Problem, 'where'>;

/** The version that the SQL and the twin are tested with; a deployment never drifts from it. */
const GLUE_VERSION = '6.0';

/** https://docs.aws.amazon.com/glue/latest/dg/worker-types.html; G.025X is for streaming jobs alone. */
const WORKER_TYPES = ['G.1X', 'G.2X', 'G.4X', 'G.8X', 'G.12X', 'G.16X', 'R.1X', 'R.2X', 'R.4X', 'R.8X'];
/** https://docs.aws.amazon.com/glue/latest/dg/add-job.html: flexible execution. */
const FLEX_WORKER_TYPES = ['G.1X', 'G.2X'];

const LONGEST_MINUTES = 240;

export const jobSettings: Rule = ruleFor('glue-job', 'AWS::Glue::Job', (job, _id, template) => {
  const settings = resolve(template, job) as Properties;
  return [...workerProblems(settings), ...runProblems(settings), ...argumentProblems(settings)];
});

function workerProblems(job: Properties): GlueProblem[] {
  const type = String(job['WorkerType']);
  const workers = Number(job['NumberOfWorkers'] ?? 0);
  const found: GlueProblem[] = [];
  if (String(job['GlueVersion']) !== GLUE_VERSION) {
    found.push({ what: `GlueVersion ${job['GlueVersion']}`, remedy: `pin '${GLUE_VERSION}'` });
  }
  if (!WORKER_TYPES.includes(type)) {
    found.push({ what: `WorkerType ${type}`, remedy: `take one of ${WORKER_TYPES.join(', ')}` });
  }
  if (workers < 2) {
    found.push({ what: `${workers} workers: one is the driver`, remedy: 'give 2 or more' });
  }
  if ('MaxCapacity' in job || 'AllocatedCapacity' in job) {
    found.push({ what: 'MaxCapacity beside WorkerType', remedy: 'keep WorkerType and NumberOfWorkers' });
  }
  if (job['ExecutionClass'] === 'FLEX' && !FLEX_WORKER_TYPES.includes(type)) {
    found.push({ what: `FLEX with ${type}`, remedy: `FLEX takes ${FLEX_WORKER_TYPES.join(' and ')}` });
  }
  return found;
}

function runProblems(job: Properties): GlueProblem[] {
  const found: GlueProblem[] = [];
  const timeout = Number(job['Timeout'] ?? 0);
  if (!(timeout >= 1 && timeout <= LONGEST_MINUTES)) {
    found.push({
      what: job['Timeout'] === undefined ? 'no Timeout: 48 hours' : `a Timeout of ${timeout} minutes`,
      remedy: `give 1 to ${LONGEST_MINUTES} minutes`,
    });
  }
  if (job['ExecutionProperty']?.MaxConcurrentRuns !== 1) {
    found.push({
      what: 'runs of the job may overlap',
      remedy: 'set ExecutionProperty.MaxConcurrentRuns to 1',
    });
  }
  if (job['JobRunQueuingEnabled'] === true) {
    found.push({
      what: 'a second run would wait in a queue and then run behind its state machine’s back',
      remedy: 'turn JobRunQueuingEnabled off',
    });
  }
  if (Number(job['MaxRetries'] ?? 0) !== 0) {
    found.push({
      what: 'Glue retries by itself',
      remedy: 'leave retries to the state machine: MaxRetries 0',
    });
  }
  return found;
}

function argumentProblems(job: Properties): GlueProblem[] {
  const found: GlueProblem[] = [];
  if (job['Command']?.Name !== 'glueetl' || String(job['Command']?.PythonVersion) !== '3') {
    found.push({ what: 'no Spark job in Python 3', remedy: 'Command: {Name: glueetl, PythonVersion: "3"}' });
  }
  if (!String(job['Command']?.ScriptLocation).startsWith('s3://')) {
    found.push({
      what: `the script is at ${job['Command']?.ScriptLocation}`,
      remedy: 'give an s3:// address',
    });
  }
  if (job['DefaultArguments']?.['--datalake-formats'] !== 'iceberg') {
    found.push({ what: 'Iceberg is not loaded', remedy: 'give the argument --datalake-formats: iceberg' });
  }
  if (job['SecurityConfiguration'] === undefined) {
    found.push({
      what: 'no SecurityConfiguration',
      remedy: 'name the one that encrypts logs, files and bookmarks',
    });
  }
  return found;
}

/**
 * Glue writes under a name of its own making, and makes the log group itself when it is not there: without a retention.
 * https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging.html, "Log group naming with security configuration"
 */
export const jobLogs: Rule = ruleFor('glue-logs', 'AWS::Glue::Job', (job, _id, template) => {
  const groups = ofType(template, 'AWS::Logs::LogGroup').map(([, group]) =>
    textOf(template, group['LogGroupName']),
  );
  return ['error', 'output']
    .map((kind) => `${logGroupPrefix(template, job)}/${kind}`)
    .filter((name) => !groups.includes(name))
    .map((name) => ({
      what: `no log group ${name}, where Glue writes`,
      remedy: 'declare it, with a retention and the key',
    }));
});

function logGroupPrefix(template: Template, job: Properties): string {
  const prefix = textOf(template, job['DefaultArguments']?.['--custom-logGroup-prefix'] ?? '/aws-glue/jobs');
  const security = template.Resources[job['SecurityConfiguration']?.Ref]?.Properties ?? {};
  const mode = security['EncryptionConfiguration']?.CloudWatchEncryption?.CloudWatchEncryptionMode;
  if (mode !== 'SSE-KMS') return prefix;
  const role = textOf(template, job['Role']).split('/').at(-1);
  return `${prefix}/${textOf(template, security['Name'])}-role/${role}`;
}

export const glueRules: Rule[] = [jobSettings, jobLogs];
