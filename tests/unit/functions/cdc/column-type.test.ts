import { describe, expect, it } from '@jest/globals';
import { tableSchema } from '../../../../functions/cdc/column-type.ts';
import { UnreadableRecord } from '../../../../functions/cdc/unreadable-record.ts';
import { recordedEvents } from '../../../recorded-events.ts';

/** The schema of a recorded value. */
function recordedSchema(recording: string, offset: string): unknown {
  const value = recordedEvents(recording).find((record) => record.offset === offset)?.value;
  return JSON.parse(value as string).schema;
}

function envelope(...fields: object[]): unknown {
  return { type: 'struct', fields: [{ type: 'struct', field: 'after', fields }] };
}

function numeric(length: number, scale: number): object {
  return {
    field: 'n',
    type: 'string',
    parameters: {
      '__debezium.source.column.type': 'NUMERIC',
      '__debezium.source.column.length': String(length),
      '__debezium.source.column.scale': String(scale),
    },
  };
}

const everyType = tableSchema(recordedSchema('every-type', '0'));
const columns = new Map(everyType.columns.map(({ name, type, encoding }) => [name, `${type} ${encoding}`]));

describe('the lake type of a column', () => {
  it.each([
    ['id', 'bigint number'],
    ['c_smallint', 'int number'],
    ['c_int', 'int number'],
    ['c_oid', 'bigint number'],
    ['c_numeric', 'decimal(38,10) decimal-string'],
    ['c_numeric_10_2', 'decimal(10,2) decimal-string'],
    ['c_numeric_38_0', 'decimal(38,0) decimal-string'],
    ['c_numeric_38_38', 'decimal(38,38) decimal-string'],
    ['c_numeric_39_2', 'decimal(38,10) decimal-string'],
    ['c_numeric_5_m2', 'decimal(38,0) decimal-string'],
    ['c_numeric_3_5', 'decimal(5,5) decimal-string'],
    ['c_money', 'decimal(19,2) decimal-string'],
    ['c_real', 'float float'],
    ['c_double', 'double float'],
    ['c_bool', 'boolean boolean'],
    ['c_bit', 'boolean boolean'],
    ['c_bit8', 'binary base64'],
    ['c_varbit', 'binary base64'],
    ['c_bytea', 'binary base64'],
    ['c_date', 'date epoch-days'],
    ['c_time', 'string micros-of-day'],
    ['c_time0', 'string micros-of-day'],
    ['c_timetz', 'string string'],
    ['c_timestamp', 'timestamp_ntz epoch-micros'],
    ['c_timestamp0', 'timestamp_ntz epoch-millis'],
    ['c_timestamp3', 'timestamp_ntz epoch-millis'],
    ['c_timestamp4', 'timestamp_ntz epoch-micros'],
    ['c_timestamptz', 'timestamp iso-timestamp'],
    ['c_interval', 'string string'],
    ['c_uuid', 'string string'],
    ['c_jsonb', 'string string'],
    ['c_hstore', 'string string'],
    ['c_enum', 'string string'],
    ['c_char', 'string string'],
    ['c_int4range', 'string string'],
    ['c_int4multirange', 'binary base64'],
    ['c_composite', 'binary base64'],
    ['c_pg_lsn', 'binary base64'],
    ['c_point', 'string json'],
    ['c_polygon', 'string json'],
    ['c_posint', 'int number'],
    ['c_moment', 'timestamp iso-timestamp'],
    ['c_price', 'string string'],
    ['c_codes', 'array<int> array:number'],
    ['a_bigint', 'array<bigint> array:number'],
    ['a_numeric', 'array<decimal(38,10)> array:decimal-string'],
    ['a_numeric_10_2', 'array<decimal(10,2)> array:decimal-string'],
    ['a_real', 'array<float> array:float'],
    ['a_bool', 'array<boolean> array:boolean'],
    ['a_text', 'array<string> array:string'],
    ['a_bytea', 'array<binary> array:base64'],
    ['a_uuid', 'array<string> array:string'],
    ['a_date', 'array<date> array:epoch-days'],
    ['a_time', 'array<string> array:micros-of-day'],
    ['a_timestamp', 'array<timestamp_ntz> array:epoch-micros'],
    ['a_timestamp3', 'array<timestamp_ntz> array:epoch-millis'],
    ['a_timestamptz', 'array<timestamp> array:iso-timestamp'],
    ['a_polygon', 'array<string> array:json'],
  ])('%s is %s', (column, expected) => {
    expect(columns.get(column)).toBe(expected);
  });

  it.each([
    [38, 10, 'decimal(38,10)'],
    [1, 0, 'decimal(1,0)'],
    [3, 38, 'decimal(38,38)'],
    [3, 39, 'decimal(38,10)'],
    [1000, 500, 'decimal(38,10)'],
    [131_089, 0, 'decimal(38,10)'],
    [5, 1_048, 'decimal(38,0)'],
  ])('numeric of length %d and scale %d, as the driver reports them, is %s', (length, scale, type) => {
    expect(tableSchema(envelope(numeric(length, scale))).columns).toEqual([
      { name: 'n', type, encoding: 'decimal-string' },
    ]);
  });

  it('is text for an array whose elements are arrays', () => {
    const nested = { field: 'a', type: 'array', items: { type: 'array', items: { type: 'int32' } } };
    expect(tableSchema(envelope(nested)).columns).toEqual([{ name: 'a', type: 'string', encoding: 'json' }]);
  });
});

describe('the id of a schema', () => {
  it('is the same from the snapshot and from the stream, though Debezium describes numeric differently', () => {
    expect(recordedSchema('every-type', '0')).not.toEqual(recordedSchema('every-type', '5'));
    expect(tableSchema(recordedSchema('every-type', '5')).id).toBe(everyType.id);
  });

  it('changes with an added column and with a grown precision', () => {
    const id = (recording: string, offset: string) => tableSchema(recordedSchema(recording, offset)).id;
    expect(id('users', '2')).toBe(id('users', '0'));
    expect(id('users', '3')).not.toBe(id('users', '0'));
    expect(id('products', '2')).not.toBe(id('products', '0'));
  });

  it('is 16 hexadecimal digits', () => {
    expect(everyType.id).toMatch(/^[0-9a-f]{16}$/);
  });
});

describe('a schema that can not be read', () => {
  it('says which setting the connector lacks', () => {
    const precise = recordedSchema('other-settings', '1');
    expect(() => tableSchema(precise)).toThrow(
      'column total_amount arrives as org.apache.kafka.connect.data.Decimal; the connector must run with decimal.handling.mode=string',
    );
  });

  it.each([
    ['is missing', undefined],
    ['is null', null],
    ['is a text', 'schema'],
    ['has no fields', { type: 'struct' }],
    ['has no after', { fields: [{ field: 'before', fields: [] }] }],
    ['has an after without fields', { fields: [{ field: 'after', type: 'string' }] }],
    ['has a field without a name', envelope({ type: 'int32' })],
    ['has an unknown type', envelope({ field: 'a', type: 'int128' })],
    ['has a type named like a property of every object', envelope({ field: 'a', type: 'toString' })],
    ['has an array of an unknown type', envelope({ field: 'a', type: 'array', items: { type: 'int128' } })],
  ])('is refused when it %s', (_what, schema) => {
    expect(() => tableSchema(schema)).toThrow(UnreadableRecord);
  });
});
