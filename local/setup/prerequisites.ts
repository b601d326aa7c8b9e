import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { javaCommand } from '../process/java.ts';

/** Oldest versions that the twin runs on: Kafka Connect's Debezium and Spark need Java 17, pyspark Python 3.10. */
const JAVA_AT_LEAST = 17;
const PYTHON_AT_LEAST = 10;

/** Programs that set-up calls. */
export type Prerequisites = { maven: string; python: string };

/** How a prerequisite that is missing is named and installed. */
type Missing = { what: string; found: string; packages: Record<Platform, string> };

type Platform = 'debian' | 'fedora' | 'macos' | 'other';

const INSTALL: Record<Exclude<Platform, 'other'>, string> = {
  debian: 'sudo apt-get update && sudo apt-get install -y',
  fedora: 'sudo dnf install -y',
  macos: 'brew install',
};

const JAVA: Missing['packages'] = {
  debian: 'openjdk-17-jdk-headless',
  fedora: 'java-17-openjdk-headless',
  macos: 'openjdk@17',
  other: 'JDK 17 or newer from https://adoptium.net',
};
const MAVEN: Missing['packages'] = {
  debian: 'maven',
  fedora: 'maven',
  macos: 'maven',
  other: 'Maven from https://maven.apache.org',
};
const PYTHON: Missing['packages'] = {
  debian: 'python3 python3-venv',
  fedora: 'python3',
  macos: 'python@3.12',
  other: 'Python 3.10 or newer with its venv module from https://www.python.org',
};

/** One or more prerequisites are missing; the message lists all of them and how to install them here. */
export class MissingPrerequisitesError extends Error {
  override name = 'MissingPrerequisitesError';
}

/** What a program answered, standard error included; null when it can't be run. */
export type Ask = (command: string, args: readonly string[]) => string | null;

/**
 * Finds Java, Maven and Python.
 * @throws MissingPrerequisitesError naming everything that is missing or too old in one message
 */
export function findPrerequisites(ask: Ask = askProgram, platform: Platform = thisPlatform()): Prerequisites {
  const python = pythonCandidates().find((command) => pythonMinor(ask, command) >= PYTHON_AT_LEAST);
  const missing = missingJava(ask);
  const mavenAnswer = ask('mvn', ['-version']);
  if (mavenAnswer === null)
    missing.push({ what: 'Maven 3.6 or newer', found: foundWord(null), packages: MAVEN });
  if (python === undefined) {
    const found = foundWord(ask('python3', ['--version']));
    missing.push({ what: `Python 3.${PYTHON_AT_LEAST} or newer with venv`, found, packages: PYTHON });
  }
  if (missing.length > 0 || python === undefined) throw missingError(missing, platform);
  return { maven: 'mvn', python };
}

/** What Java says of itself; empty when there is none. */
export function javaVersion(): string {
  return askProgram(javaCommand(), ['-version']) ?? '';
}

function missingJava(ask: Ask): Missing[] {
  const answer = ask(javaCommand(), ['-version']);
  if (javaMajor(answer) >= JAVA_AT_LEAST) return [];
  return [{ what: `Java (JDK) ${JAVA_AT_LEAST} or newer`, found: foundWord(answer), packages: JAVA }];
}

function missingError(missing: readonly Missing[], platform: Platform): MissingPrerequisitesError {
  const lines = missing.map(({ what, found }) => `  - ${what} (${found})`);
  const packages = missing.map((entry) => entry.packages[platform]);
  const remedy =
    platform === 'other'
      ? `Install:\n${packages.map((name) => `  ${name}`).join('\n')}`
      : `Install with:\n  ${INSTALL[platform]} ${packages.join(' ')}`;
  const javaHome = process.env['JAVA_HOME'];
  const note = javaHome ? `\nJAVA_HOME is ${javaHome}; that Java is the one used.` : '';
  return new MissingPrerequisitesError(`Missing on this machine:\n${lines.join('\n')}\n${remedy}${note}`);
}

/** `openjdk version "17.0.15" 2025-04-15` -> 17; 0 when it doesn't say. */
function javaMajor(answer: string | null): number {
  return Number(/version "(\d+)/.exec(answer ?? '')?.[1] ?? 0);
}

/** The minor version of a Python 3 that can make virtual environments; -1 when it isn't one. */
function pythonMinor(ask: Ask, command: string): number {
  const answer = ask(command, ['-c', 'import ensurepip, venv, sys; print("python", *sys.version_info[:2])']);
  return Number(/python 3 (\d+)/.exec(answer ?? '')?.[1] ?? -1);
}

function pythonCandidates(): string[] {
  const named = process.env['CDC_PYTHON'];
  return named ? [named] : ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'];
}

function foundWord(answer: string | null): string {
  const line = answer?.trim().split('\n')[0];
  return line ? `found: ${line}` : 'not found';
}

function askProgram(command: string, args: readonly string[]): string | null {
  try {
    return execFileSync('/bin/sh', ['-c', 'exec "$0" "$@" 2>&1', command, ...args], {
      encoding: 'utf8',
      timeout: 30_000,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return null;
  }
}

function thisPlatform(): Platform {
  if (process.platform === 'darwin') return 'macos';
  try {
    const release = readFileSync('/etc/os-release', 'utf8');
    const ids = [...release.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)/gm)].flatMap(([, words]) =>
      (words ?? '').split(' '),
    );
    if (ids.includes('debian') || ids.includes('ubuntu')) return 'debian';
    if (ids.includes('fedora') || ids.includes('rhel')) return 'fedora';
  } catch {
    // No such file: not one of the systems named here.
  }
  return 'other';
}
