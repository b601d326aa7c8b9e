import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { ChangeEventReader } from '../../../../functions/cdc/change-event.ts';
import { describeEvent } from '../../../../local/cli/events.ts';
import { PLACEHOLDER, pipeRecord, recordedEvents } from '../../../recorded-events.ts';

function lines(recording: string): string[] {
  const reader = new ChangeEventReader(PLACEHOLDER);
  return recordedEvents(recording)
    .map(pipeRecord)
    .filter((record) => record.value !== null && record.value !== undefined)
    .map((record) => stripVTControlCharacters(describeEvent(reader.read(record).event)));
}

describe('an event on one line', () => {
  it('names the operation, the row and its values', () => {
    const insert = lines('users').find((line) => line.includes(' INSERT '));
    expect(insert).toMatch(/^ +\d+ 20\d\d-\d\d-\d\dT\S+Z INSERT +id=\d+ {2}id=\d+ name=\S/);
  });

  it('says which values PostgreSQL did not send, and never shows the placeholder', () => {
    const all = lines('orders');
    expect(all.filter((line) => line.includes('notes=(unchanged)')).length).toBeGreaterThan(0);
    expect(all.join('\n')).not.toContain(PLACEHOLDER);
  });

  it('shows the former key behind a changed one', () => {
    expect(lines('orders').filter((line) => / id=20 \(was id=2\) /.test(line))).toHaveLength(1);
  });

  it('shows a truncation without a row', () => {
    expect(lines('keyless-and-truncate').some((line) => /TRUNCATE *$/.test(line))).toBe(true);
  });
});
