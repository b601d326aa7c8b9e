import { renameSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** Where one pipe stands. Offsets are decimal strings by partition. */
export type TopicStatus = {
  table: string;
  group: string;
  /** waiting: its topic does not exist yet; stalled: its last attempt failed and is being repeated. */
  state: 'waiting' | 'running' | 'stalled';
  /** Next offset to be enriched. */
  position: Record<string, string>;
  /** Next offset after what lies in closed landing files. */
  committed: Record<string, string>;
  /** End of the partition when it was read last. */
  end: Record<string, string>;
  /** Records behind that end that are in no closed landing file. */
  lag: number;
  records: number;
  packs: number;
  files: number;
  bytes: number;
  failures: number;
  lastError: { at: string; message: string } | null;
  lastLandedAt: string | null;
};

/** The status file: rewritten about every second, and whenever a topic's state changes. */
export type PipeStatus = {
  pid: number;
  startedAt: string;
  updatedAt: string;
  topics: Record<string, TopicStatus>;
};

export function newTopicStatus(table: string, group: string): TopicStatus {
  return {
    table,
    group,
    state: 'waiting',
    position: {},
    committed: {},
    end: {},
    lag: 0,
    records: 0,
    packs: 0,
    files: 0,
    bytes: 0,
    failures: 0,
    lastError: null,
    lastLandedAt: null,
  };
}

/** Records between what is committed and the end; what was never committed counts from its position. */
export function lagOf({
  committed,
  position,
  end,
}: Pick<TopicStatus, 'committed' | 'position' | 'end'>): number {
  return Object.entries(end).reduce((sum, [partition, high]) => {
    const done = committed[partition] ?? position[partition] ?? '0';
    return sum + Math.max(0, Number(BigInt(high) - BigInt(done)));
  }, 0);
}

/** Replaces the file at once: a reader sees the old status or the new one. */
export function writeStatus(file: string, status: PipeStatus): void {
  writeFileSync(`${file}.new`, JSON.stringify(status, null, 1));
  renameSync(`${file}.new`, file);
}

/** What the pipe runner last wrote; null when there is no such file. */
export async function readStatus(file: string): Promise<PipeStatus | null> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as PipeStatus;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new Error(`The pipe runner's status ${file} can't be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
