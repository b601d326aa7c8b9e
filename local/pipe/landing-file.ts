import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { landingPrefix } from '../../functions/cdc/names.ts';

const compress = promisify(gzip);

/** Records on their way into one landing file, and the Kafka offsets that may be committed once it is closed. */
export class LandingFile {
  readonly #lines: string[] = [];
  readonly #next = new Map<number, string>();
  #bytes = 0;
  #openedAt: Date | null = null;

  /** Takes the records of one batch; `nextOffset` follows the batch's last record in its partition. */
  add(partition: number, nextOffset: string, records: readonly string[], now: Date): void {
    this.#openedAt ??= now;
    this.#next.set(partition, nextOffset);
    for (const record of records) {
      this.#lines.push(record);
      this.#bytes += Buffer.byteLength(record) + 1;
    }
  }

  /** Uncompressed. */
  get bytes(): number {
    return this.#bytes;
  }

  get records(): number {
    return this.#lines.length;
  }

  /** When its first batch came; null while it is empty. */
  get openedAt(): Date | null {
    return this.#openedAt;
  }

  /** The next offset to read of each partition. */
  get offsets(): { partition: number; offset: string }[] {
    return [...this.#next].map(([partition, offset]) => ({ partition, offset }));
  }

  /** JSON lines, gzip. At speed: the file is read once and soon, on the same machine. */
  content(): Promise<Buffer> {
    return compress(`${this.#lines.join('\n')}\n`, { level: constants.Z_BEST_SPEED });
  }
}

/**
 * `landing/public.users/2026/01/31/23/cdc-demo-dev-users-1-2026-01-31-23-59-59-<uuid>.gz`, by the arrival of its oldest
 * record in UTC: Firehose's naming (https://docs.aws.amazon.com/firehose/latest/dev/s3-object-name.html).
 */
export function landingKey(table: string, stream: string, openedAt: Date, uuid: string): string {
  const stamp = openedAt.toISOString().slice(0, 19).replaceAll(/[T:]/g, '-');
  return `${landingPrefix(table, openedAt)}${stream}-1-${stamp}-${uuid}.gz`;
}
