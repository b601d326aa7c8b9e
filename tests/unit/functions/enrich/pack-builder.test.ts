import { describe, expect, it } from '@jest/globals';
import { ChangeEventReader } from '../../../../functions/cdc/change-event.ts';
import type { PipeKafkaRecord } from '../../../../functions/cdc/kafka-record.ts';
import { eventBytesBound, jsonBytes } from '../../../../functions/enrich/json-bytes.ts';
import { type Outcome, PackBuilder } from '../../../../functions/enrich/pack-builder.ts';
import { divide, MAX_RESPONSE_BYTES } from '../../../../functions/enrich/pack-limits.ts';
import { PLACEHOLDER, pipeRecord, recordedEvents } from '../../../recorded-events.ts';

const HEAD = { epoch: 1, cluster: 'c', topic: 't', table: 'public.t', partition: 0, landed_at: 'now' };

const reader = new ChangeEventReader(PLACEHOLDER);
const recorded = ['orders', 'every-type', 'unchanged-out-of-line', 'transaction'].map((name) =>
  recordedEvents(name)
    .filter(({ value }) => value !== null)
    .map(pipeRecord),
);

function outcomeOf(record: PipeKafkaRecord): Outcome & { kind: 'event' } {
  const { event, schema, payloadBytes } = reader.read(record);
  return { kind: 'event', event, schema, bound: eventBytesBound(event, payloadBytes) };
}

describe('the size of a pack', () => {
  it.each(recorded.flat().map((record) => [record.topic, record.offset, record] as const))(
    'is never underestimated: %s at offset %s',
    (_topic, _offset, record) => {
      const { event, bound } = outcomeOf(record);
      expect(bound).toBeGreaterThanOrEqual(jsonBytes(event));
    },
  );

  it.each(recorded.map((records) => [records[0]?.topic, records] as const))(
    'is exact to some 50 bytes once measured: %s',
    (_topic, records) => {
      const builder = new PackBuilder(HEAD);
      records.forEach((record, offset) => {
        builder.add({ ...record, offset }, outcomeOf(record));
      });
      const packs = builder.packs();
      expect(packs).toHaveLength(1);
      for (const grown of packs) {
        const spare = grown.measure() - jsonBytes(grown.pack);
        expect(spare).toBeGreaterThanOrEqual(0);
        expect(spare).toBeLessThanOrEqual(50);
      }
    },
  );

  it('decides what fits into a response by what it is, not by its estimate', () => {
    const five = Array.from({ length: 5 }, () => {
      const pack = { bound: 900_000, measure: () => (pack.bound = 500_000) };
      return pack;
    });
    expect(5 * 900_000).toBeGreaterThan(MAX_RESPONSE_BYTES);
    expect(divide(five)).toEqual({ response: five, overflow: [] });
  });
});
