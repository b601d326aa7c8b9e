import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PROJECT_ROOT } from '../state.ts';

/** The jars that set-up fetched, one folder each. */
export const JARS = {
  kafka: join(PROJECT_ROOT, '.jars', 'kafka'),
  /** Parent of the plugin's folder, as Connect's plugin.path wants it. */
  debezium: join(PROJECT_ROOT, '.jars', 'debezium'),
  spark: join(PROJECT_ROOT, '.jars', 'spark'),
} as const;

/** JAVA_HOME's java, else the one on the path. */
export function javaCommand(): string {
  const home = process.env['JAVA_HOME'];
  return home ? join(home, 'bin', 'java') : 'java';
}

/**
 * Arguments that start a main class of the Kafka jars: heap bounds in MB, the serial collector (least memory, quickest
 * start on few cores), and logging by the given log4j 1 file.
 */
export function kafkaJava(
  mainClass: string,
  heapMb: { initial: number; max: number },
  log4j: string,
  args: readonly string[],
): string[] {
  return [
    '-XX:+UseSerialGC',
    `-Xms${heapMb.initial}m`,
    `-Xmx${heapMb.max}m`,
    '-XX:+ExitOnOutOfMemoryError',
    '-Djava.awt.headless=true',
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
