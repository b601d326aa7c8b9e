/** Firehose's PutRecordBatch, by which a pipe delivers (https://docs.aws.amazon.com/firehose/latest/dev/limits.html). */
export const MAX_RECORDS = 500;
export const MAX_RECORD_BYTES = 1000 * 1024;
export const MAX_REQUEST_BYTES = 4 * 1024 * 1024;

/** Of an enrichment (https://docs.aws.amazon.com/eventbridge/latest/userguide/pipes-enrichment.html). */
export const MAX_RESPONSE_BYTES = 6 * 1024 * 1024;

/** AWS would not deliver this answer: the pipe would stand still on its batch. */
export class AnswerRefused extends Error {
  override name = 'AnswerRefused';
}

/**
 * The Firehose records of an enrichment's answer, each one JSON text. An empty answer ("", {}, []) skips the target.
 * @throws AnswerRefused naming the limit that is broken.
 */
export function firehoseRecords(payload: Uint8Array): string[] {
  if (payload.byteLength > MAX_RESPONSE_BYTES) {
    throw new AnswerRefused(
      `The enrichment answered ${payload.byteLength} bytes; a pipe takes ${MAX_RESPONSE_BYTES}.`,
    );
  }
  const answer = parsed(Buffer.from(payload).toString('utf8'));
  if (isEmpty(answer)) return [];
  if (!Array.isArray(answer)) {
    throw new AnswerRefused(
      'The enrichment answered something else than an array: a pipe would deliver it as one record.',
    );
  }
  if (answer.length > MAX_RECORDS) {
    throw new AnswerRefused(
      `The enrichment answered ${answer.length} records; Firehose takes ${MAX_RECORDS}.`,
    );
  }
  const records = answer.map((record) => JSON.stringify(record));
  checkSizes(records);
  return records;
}

function parsed(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AnswerRefused('The enrichment answered no JSON.', { cause: error });
  }
}

function isEmpty(answer: unknown): boolean {
  if (answer === null || answer === '') return true;
  return typeof answer === 'object' && !Array.isArray(answer) && Object.keys(answer).length === 0;
}

function checkSizes(records: readonly string[]): void {
  let total = 0;
  records.forEach((record, index) => {
    const bytes = Buffer.byteLength(record);
    total += bytes;
    if (bytes > MAX_RECORD_BYTES) {
      throw new AnswerRefused(
        `Record ${index} of the enrichment's answer has ${bytes} bytes; Firehose takes ${MAX_RECORD_BYTES}.`,
      );
    }
  });
  if (total > MAX_REQUEST_BYTES) {
    throw new AnswerRefused(
      `The records of the enrichment's answer have ${total} bytes together; Firehose takes ${MAX_REQUEST_BYTES}.`,
    );
  }
}
