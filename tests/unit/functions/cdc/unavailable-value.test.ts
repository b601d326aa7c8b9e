import { describe, expect, it } from '@jest/globals';
import { ChangeEventReader } from '../../../../functions/cdc/change-event.ts';
import { PLACEHOLDER, pipeRecord, recordedEvents } from '../../../recorded-events.ts';

function unchangedIn(recording: string, offset: string, placeholder = PLACEHOLDER): string[] {
  const recorded = recordedEvents(recording).find((record) => record.offset === offset);
  if (recorded === undefined) throw new Error(`no offset ${offset} in ${recording}`);
  return new ChangeEventReader(placeholder).read(pipeRecord(recorded)).event.unchanged;
}

describe('a value that PostgreSQL left out because it did not change', () => {
  it('is told in every form that Debezium gives the placeholder', () => {
    expect(unchangedIn('unchanged-out-of-line', '1')).toEqual([
      'v_text',
      'v_varchar',
      'v_citext',
      'v_json',
      'v_jsonb',
      'v_xml',
      'v_hstore',
      'v_ltree',
      'v_tsvector',
      'v_numeric',
      'v_bytea',
      'v_numrange',
      'v_composite',
      'v_label',
      'v_multirange',
      'a_int',
      'a_bigint',
      'a_text',
      'a_varchar',
      'a_bytea',
      'a_uuid',
      'a_jsonb',
      'a_date',
    ]);
  });

  it('can not be told from NULL where Debezium sends null', () => {
    const [recorded] = recordedEvents('unchanged-out-of-line');
    const { after } = JSON.parse(recorded?.value as string).payload;
    const nulls = Object.keys(after).filter((column) => after[column] === null);
    expect(nulls).toEqual([
      'v_varbit',
      'v_path',
      'v_polygon',
      'a_smallint',
      'a_numeric',
      'a_real',
      'a_double',
      'a_bool',
      'a_time',
      'a_timestamp',
      'a_timestamptz',
      'a_inet',
      'a_enum',
      'a_oid',
      'a_citext',
      'a_int4range',
      'a_bit8',
      'a_posint',
      'a_hstore',
    ]);
  });

  it('is named in an update and in the insert of a key change', () => {
    expect(unchangedIn('orders', '5')).toEqual(['notes']);
    expect(unchangedIn('orders', '8')).toEqual(['notes']);
  });

  it('is not named where the value came along', () => {
    expect(unchangedIn('orders', '1')).toEqual([]);
    expect(unchangedIn('orders', '12')).toEqual([]);
    expect(unchangedIn('every-type', '5')).toEqual([]);
  });

  it("is not confused with a user's text, not even Debezium's documented placeholder", () => {
    expect(unchangedIn('placeholder-typed-by-user', '4')).toContain('notes');
    expect(unchangedIn('placeholder-typed-by-user', '22')).not.toContain('notes');
  });

  it('is told by the token of this deployment only', () => {
    expect(unchangedIn('unchanged-out-of-line', '1', 'another token of 128 bits')).toEqual([]);
  });
});
