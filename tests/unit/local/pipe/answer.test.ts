import { describe, expect, it } from '@jest/globals';
import {
  AnswerRefused,
  firehoseRecords,
  MAX_RECORD_BYTES,
  MAX_RECORDS,
  MAX_REQUEST_BYTES,
  MAX_RESPONSE_BYTES,
} from '../../../../local/pipe/answer.ts';

const records = (answer: unknown) => firehoseRecords(Buffer.from(JSON.stringify(answer)));
/** JSON text of so many bytes. */
const ofBytes = (bytes: number) => 'x'.repeat(bytes - 2);

describe("an enrichment's answer", () => {
  it('is one JSON text a record', () => {
    expect(records([{ pack: 1, payload: '{"a": 1}' }, { pack: 2 }])).toEqual([
      '{"pack":1,"payload":"{\\"a\\": 1}"}',
      '{"pack":2}',
    ]);
  });

  it.each([[''], ['""'], ['{}'], ['[]'], ['null']])('skips the target when it is %j', (text) => {
    expect(firehoseRecords(Buffer.from(text))).toEqual([]);
  });

  it('may be as large as Firehose takes', () => {
    expect(records(Array.from({ length: MAX_RECORDS }, () => 1))).toHaveLength(MAX_RECORDS);
    expect(records([ofBytes(MAX_RECORD_BYTES)])).toHaveLength(1);
    const quarter = MAX_REQUEST_BYTES / 8;
    expect(records(Array.from({ length: 8 }, () => ofBytes(quarter)))).toHaveLength(8);
  });

  it.each([
    ['no array', { pack: 1 }, /something else than an array/],
    ['too many records', Array.from({ length: MAX_RECORDS + 1 }, () => 1), /501 records; Firehose takes 500/],
    ['a record too large', [1, ofBytes(MAX_RECORD_BYTES + 1)], /Record 1 .* has 1024001 bytes/],
    ['bytes, not characters', ['é'.repeat(MAX_RECORD_BYTES / 2)], /Record 0/],
    [
      'too much together',
      Array.from({ length: 9 }, () => ofBytes(500_000)),
      /together; Firehose takes 4194304/,
    ],
  ])('is refused: %s', (_, answer, message) => {
    expect(() => records(answer)).toThrow(message);
    expect(() => records(answer)).toThrow(AnswerRefused);
  });

  it('is refused when no pipe would take it', () => {
    expect(() => firehoseRecords(Buffer.alloc(MAX_RESPONSE_BYTES + 1))).toThrow(/a pipe takes 6291456/);
    expect(() => firehoseRecords(Buffer.from('<html>'))).toThrow(/no JSON/);
  });
});
