/**
 * The test command: every suite, or those named on the command line, and one closing line `N passed, N failed`.
 *
 *   npm test                 all of it
 *   npm run test:unit        the fast loop: jest's unit tests alone
 *   npm run check            lint, format and types of TypeScript, Python and SQL
 *   npm run check:aws        the packaged templates: our rules, cfn-lint, checkov
 *   npm run rehearse         sls deploy, info, invoke, a run and remove, against an account on this machine
 *   npm test -- glue e2e     some suites
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execa } from 'execa';
import { ensureCheckov, ensureSetup } from '../local/setup/setup.ts';

const root = path.resolve(import.meta.dirname, '..');
const python = (tool: string) => path.join(root, '.venv', 'bin', tool);
const npmBin = (tool: string) => path.join(root, 'node_modules', '.bin', tool);

interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

interface Step {
  readonly name: string;
  readonly run: (scratch: string) => Promise<Outcome>;
}

const none: Outcome = { passed: 0, failed: 0, skipped: 0 };
const add = (a: Outcome, b: Outcome): Outcome => ({
  passed: a.passed + b.passed,
  failed: a.failed + b.failed,
  skipped: a.skipped + b.skipped,
});

async function command(file: string, args: readonly string[]): Promise<boolean> {
  const { exitCode } = await execa(file, args, { cwd: root, stdio: 'inherit', reject: false });
  return exitCode === 0;
}

/** A tool that passes or fails as a whole. */
function tool(name: string, file: string, args: readonly string[]): Step {
  return {
    name,
    run: async () => ((await command(file, args)) ? { ...none, passed: 1 } : { ...none, failed: 1 }),
  };
}

/** Jest on some folders; a run that breaks before it reports counts as one failure. */
function jest(name: string, folders: readonly string[], ...flags: readonly string[]): Step {
  return {
    name,
    run: async (scratch) => {
      const output = path.join(scratch, `${name}.json`);
      const ok = await command(process.execPath, [
        '--disable-warning=ExperimentalWarning',
        '--experimental-vm-modules',
        'node_modules/jest/bin/jest.js',
        '--json',
        `--outputFile=${output}`,
        ...flags,
        ...folders.map((folder) => `${folder}/`),
      ]);
      const report = await readFile(output, 'utf8').then(JSON.parse, () => undefined);
      if (!report) return { ...none, failed: 1 };
      const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
      return {
        passed: report.numPassedTests,
        failed: ok ? failed : Math.max(failed, 1),
        skipped: report.numPendingTests + report.numTodoTests,
      };
    },
  };
}

/** Pytest on a folder, counted from its JUnit report. */
function pytest(name: string, folder: string, ...flags: readonly string[]): Step {
  return {
    name,
    run: async (scratch) => {
      const output = path.join(scratch, `${name}.xml`);
      const ok = await command(python('python'), ['-m', 'pytest', folder, `--junitxml=${output}`, ...flags]);
      const head = (await readFile(output, 'utf8').catch(() => '')).match(/<testsuite [^>]*>/)?.[0] ?? '';
      const count = (attribute: string) => Number(head.match(new RegExp(` ${attribute}="(\\d+)"`))?.[1] ?? 0);
      const failed = count('failures') + count('errors');
      const skipped = count('skipped');
      return {
        passed: Math.max(0, count('tests') - failed - skipped),
        failed: ok ? failed : Math.max(failed, 1),
        skipped,
      };
    },
  };
}

const suites: Readonly<Record<string, readonly Step[]>> = {
  check: [
    tool('biome', npmBin('biome'), ['check', '--error-on-warnings', '.']),
    tool('tsc', npmBin('tsc'), []),
    tool('ruff', python('ruff'), ['check', '--no-cache']),
    tool('ruff format', python('ruff'), ['format', '--check', '--no-cache']),
    tool('pyright', npmBin('pyright'), ['--pythonpath', python('python')]),
    tool('sqlfluff', python('sqlfluff'), ['lint', '--disable-progress-bar', 'sql', 'tests/e2e/oracle']),
    tool('cfn-lint', python('cfn-lint'), ['.github/aws/deploy-role.yml']),
  ],
  unit: [jest('unit', ['tests/unit'])],
  aws: [jest('aws', ['tests/aws'], '--runInBand')],
  // A session keeps one core busy: two of them share the tests.
  glue: [pytest('glue', 'tests/glue', '--numprocesses=2', '--dist=worksteal')],
  statemachines: [jest('statemachines', ['tests/statemachines'], '--runInBand')],
  local: [jest('local', ['tests/local'], '--runInBand')],
  rehearse: [pytest('stacks', 'tests/rehearse/stacks'), jest('rehearse', ['tests/rehearse'], '--runInBand')],
  e2e: [jest('e2e', ['tests/e2e'], '--runInBand')],
};

function chosen(names: readonly string[]): [string, readonly Step[]][] {
  const unknown = names.filter((name) => !(name in suites));
  if (unknown.length > 0) {
    console.error(`No suite ${unknown.join(', ')}: there are ${Object.keys(suites).join(', ')}`);
    process.exit(2);
  }
  return Object.entries(suites).filter(([name]) => names.length === 0 || names.includes(name));
}

const seconds = (since: number) => `${((performance.now() - since) / 1000).toFixed(1)} s`;
const selection = chosen(process.argv.slice(2));
if (selection.some(([name]) => name !== 'unit')) await ensureSetup(console.log);
if (selection.some(([name]) => name === 'aws')) await ensureCheckov(console.log);

const scratch = await mkdtemp(path.join(tmpdir(), 'cdc-tests-'));
const began = performance.now();
const lines: string[] = [];
let total = none;
try {
  for (const [suite, steps] of selection) {
    for (const step of steps) {
      const start = performance.now();
      console.log(`\n=== ${suite}: ${step.name}`);
      const outcome = await step.run(scratch);
      total = add(total, outcome);
      const counts = `${outcome.passed} passed, ${outcome.failed} failed, ${outcome.skipped} skipped`;
      lines.push(`${outcome.failed ? 'FAIL' : 'ok  '} ${suite}: ${step.name} (${counts}, ${seconds(start)})`);
    }
  }
} finally {
  await rm(scratch, { recursive: true, force: true });
}
console.log(`\n${lines.join('\n')}\n\n${total.skipped} skipped, in ${seconds(began)}`);
console.log(
  `${total.passed} passed, ${total.failed} failed${total.skipped ? `, ${total.skipped} skipped` : ''}`,
);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
