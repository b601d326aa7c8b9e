import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PROJECT_ROOT } from '../state.ts';

/** The jars that set-up fetched, one folder each. */
export const JARS = {
  kafka: join(PROJECT_ROOT, '.jars', 'kafka'),
  /** Parent of the plugin's folder, as Connect's plugin.path wants it. */
  debezium: join(PROJECT_ROOT, '.jars', 'debezium'),
  spark: join(PROJECT_ROOT, '.jars', 'spark'),
  /** Class archives, made from the jars by set-up. */
  classes: join(PROJECT_ROOT, '.jars', 'classes'),
} as const;

/** JAVA_HOME's java, else the one on the path. */
export function javaCommand(): string {
  const home = process.env['JAVA_HOME'];
  return home ? join(home, 'bin', 'java') : 'java';
}

/**
 * Where set-up keeps the parsed classes of a main class (a CDS archive): Java starts from it in half the time. Java
 * itself ignores one that doesn't fit its version or the jars.
 */
export function classArchive(mainClass: string): string {
  return join(JARS.classes, `${mainClass}.jsa`);
}

export type KafkaJava = {
  mainClass: string;
  heapMb: { initial: number; max: number };
  /** A log4j 1 file. */
  log4j: string;
  args: readonly string[];
  /** Folder for what Java unpacks and would leave behind when it is killed. */
  temporary: string;
  /** More options for Java itself; without any, the class archive is used if there is one. */
  javaOptions?: readonly string[] | undefined;
};

/**
 * Arguments that start a main class of the Kafka jars, with the serial collector: least memory, quickest start on few
 * cores.
 */
export function kafkaJava({ mainClass, heapMb, log4j, args, temporary, javaOptions }: KafkaJava): string[] {
  const archive = classArchive(mainClass);
  const archiveOptions = existsSync(archive) ? [`-XX:SharedArchiveFile=${archive}`, '-Xlog:cds=off'] : [];
  return [
    ...(javaOptions ?? archiveOptions),
    '-XX:+UseSerialGC',
    `-Xms${heapMb.initial}m`,
    `-Xmx${heapMb.max}m`,
    '-XX:+ExitOnOutOfMemoryError',
    '-Djava.awt.headless=true',
    `-Djava.io.tmpdir=${temporary}`,
    // Java writes its counters into /tmp, wherever its temporary files are.
    '-XX:-UsePerfData',
    `-Dlog4j.configuration=${pathToFileURL(log4j)}`,
    '-cp',
    join(JARS.kafka, '*'),
    mainClass,
    ...args,
  ];
}

/** Writes a Java properties file, values escaped: backslashes doubled, everything but ASCII as \uXXXX. */
export function writeProperties(file: string, properties: Readonly<Record<string, string>>): void {
  const lines = Object.entries(properties).map(([name, value]) => `${name}=${escapeProperty(value)}\n`);
  writeFileSync(file, lines.join(''));
}

function escapeProperty(value: string): string {
  const escaped = value.replaceAll('\\', '\\\\').replace(/^\s/, '\\$&');
  return escaped.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
