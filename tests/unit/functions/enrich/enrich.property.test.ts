import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ChangeEventReader } from '../../../../functions/cdc/change-event.ts';
import type { PipeKafkaRecord } from '../../../../functions/cdc/kafka-record.ts';
import type { Pack } from '../../../../functions/cdc/pack.ts';
import { enrich } from '../../../../functions/enrich/enrich.ts';
import {
  MAX_PACK_BYTES,
  MAX_RESPONSE_BYTES,
  MAX_RESPONSE_PACKS,
} from '../../../../functions/enrich/pack-limits.ts';
import { PLACEHOLDER, pipeRecord, type RecordedEvent, recordedEvents } from '../../../recorded-events.ts';

const recordings: Record<string, RecordedEvent[]> = {
  'cdc.public.orders': recordedEvents('orders'),
  'cdc.public.users': recordedEvents('users'),
  'cdc.transaction': recordedEvents('transaction'),
  'cdc.public.unknown': recordedEvents('products'),
};
const tables = new Set(['public.orders', 'public.users']);

type Shape = {
  topic: string;
  partition: number;
  /** How far the offset is from the one before it in its partition. */
  step: number;
  kind: 'recorded' | 'tombstone' | 'absent' | 'large' | 'garbage' | 'cut';
  pick: number;
  size: number;
  garbage: string;
  timestamp: number;
};

const shape: fc.Arbitrary<Shape> = fc.record({
  topic: fc.constantFrom(...Object.keys(recordings)),
  partition: fc.nat(2),
  step: fc.oneof(
    { weight: 12, arbitrary: fc.constant(1) },
    { weight: 1, arbitrary: fc.constantFrom(0, -3, 2, 1000) },
  ),
  kind: fc.constantFrom('recorded', 'recorded', 'recorded', 'tombstone', 'absent', 'large', 'garbage', 'cut'),
  pick: fc.nat(100),
  size: fc.oneof(fc.nat(2_000), fc.integer({ min: 200_000, max: 1_100_000 })),
  garbage: fc.oneof(fc.string(), fc.base64String(), fc.string({ unit: 'binary' })),
  timestamp: fc.oneof(fc.constant(1_795_422_250_000), fc.nat(), fc.maxSafeInteger()),
});

/** The records that the shapes describe, each partition counting its own offsets. */
function records(shapes: Shape[]): PipeKafkaRecord[] {
  const offsets = new Map<string, number>();
  return shapes.map((shape) => {
    const partition = `${shape.topic}/${shape.partition}`;
    const offset = Math.max(0, (offsets.get(partition) ?? 4) + shape.step);
    offsets.set(partition, offset);
    const { topic, timestamp } = shape;
    return { ...record(shape), topic, partition: shape.partition, offset, timestamp };
  });
}

function record({ topic, kind, pick, size, garbage }: Shape): PipeKafkaRecord {
  const recorded = recordings[topic] as RecordedEvent[];
  const base = pipeRecord(recorded[pick % recorded.length] as RecordedEvent);
  const value = base.value as string;
  if (kind === 'tombstone') return { ...base, value: null };
  if (kind === 'absent') {
    const { value: _value, key: _key, headers: _headers, ...rest } = base;
    return rest as PipeKafkaRecord;
  }
  if (kind === 'garbage') return { ...base, value: garbage, headers: [{ [garbage]: [1, -1] }] };
  if (kind === 'cut' && value)
    return { ...base, value: value.slice(0, 4 * Math.floor((pick / 100) * (value.length / 4))) };
  if (kind === 'large') return pipeRecord(enlarged(recorded[0] as RecordedEvent, size));
  return base;
}

function enlarged(event: RecordedEvent, size: number): RecordedEvent {
  const value = (event.value as string).replace(/"(notes|bio)":null/, `"$1":"${'\\"漢'.repeat(size / 5)}"`);
  return { ...event, value };
}

/** Where every record must be, in the order of its partition: topic, partition, offset, and what it is. */
function expectedPlaces(input: PipeKafkaRecord[]): string[] {
  return input.map(({ topic, partition, offset, value }) =>
    [topic, partition, offset, value === null || value === undefined ? 'tombstone' : 'kept'].join(' '),
  );
}

function places(packs: Pack[]): string[] {
  return packs.flatMap(({ topic, partition, from_offset, to_offset, events, quarantined }) => {
    const kept = new Set([...events, ...quarantined].map(({ offset }) => offset));
    expect(kept.size).toBe(events.length + quarantined.length);
    const count = Number(to_offset) - Number(from_offset) + 1;
    return Array.from({ length: count }, (_, index) => {
      const offset = Number(from_offset) + index;
      return [topic, partition, offset, kept.delete(String(offset)) ? 'kept' : 'tombstone'].join(' ');
    });
  });
}

function byPartition(places: string[]): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(Object.groupBy(places, (place) => place.split(' ', 2).join(' '))).map(([key, list]) => [
      key,
      list ?? [],
    ]),
  );
}

/** All packs as they were cut: those of the response and the spilled ones, each partition in its own order. */
function inOrder(response: Pack[], spilled: Pack[], input: PipeKafkaRecord[]): Pack[] {
  const starts = input.map(({ topic, partition, offset }) => `${topic} ${partition} ${offset}`);
  const at = ({ topic, partition, from_offset }: Pack) =>
    starts.indexOf(`${topic} ${partition} ${from_offset}`);
  return [...response, ...spilled].sort((a, b) => at(a) - at(b));
}

describe('any batch', () => {
  it('ends with every record in exactly one place, in order, within the limits', () => {
    const reader = new ChangeEventReader(PLACEHOLDER);
    fc.assert(
      fc.property(fc.array(shape, { maxLength: 40, size: 'max' }), (shapes) => {
        // Steps back would make two packs begin at one offset; they have a test of their own.
        const input = records(shapes.map((one) => ({ ...one, step: Math.max(1, one.step) })));
        const { response, spill, counts } = enrich(input, {
          epoch: 1,
          cluster: 'c',
          tables,
          reader,
          now: new Date(0),
        });
        const spilled = spill.map(({ pack }) => pack);
        expect(byPartition(places(inOrder(response, spilled, input)))).toEqual(
          byPartition(expectedPlaces(input)),
        );

        expect(response.length).toBeLessThanOrEqual(MAX_RESPONSE_PACKS);
        expect(Buffer.byteLength(JSON.stringify(response))).toBeLessThanOrEqual(MAX_RESPONSE_BYTES);
        for (const pack of response) {
          expect(Buffer.byteLength(JSON.stringify(pack))).toBeLessThanOrEqual(MAX_PACK_BYTES);
        }
        expect(new Set(spill.map(({ key }) => key)).size).toBe(spill.length);

        const events = [...response, ...spilled].reduce((sum, pack) => sum + pack.events.length, 0);
        const unreadable = Object.values(counts.quarantined).reduce((sum, count) => sum + count, 0);
        expect(counts).toMatchObject({
          records: input.length,
          events,
          tombstones: input.length - events - unreadable,
        });
        expect(counts).toMatchObject({ packs: response.length + spill.length, spilled: spill.length });
      }),
      { numRuns: 150 },
    );
  });

  it('gives the same packs whether the schemas are known or not', () => {
    const remembering = new ChangeEventReader(PLACEHOLDER);
    fc.assert(
      fc.property(fc.array(shape, { maxLength: 15 }), (shapes) => {
        const input = records(shapes);
        const run = (reader: ChangeEventReader, batch: PipeKafkaRecord[]) =>
          enrich(batch, { epoch: 1, cluster: 'c', tables, reader, now: new Date(0) });
        const known = run(remembering, input);
        expect(known).toEqual(run(new ChangeEventReader(PLACEHOLDER), input));
      }),
      { numRuns: 150 },
    );
  });

  it('never loses an offset to a hole, a repetition or a step back', () => {
    fc.assert(
      fc.property(fc.array(shape, { maxLength: 40 }), (shapes) => {
        const input = records(shapes.map((one) => ({ ...one, kind: 'recorded' as const })));
        const { response, spill } = enrich(input, {
          epoch: 1,
          cluster: 'c',
          tables,
          reader: new ChangeEventReader(PLACEHOLDER),
          now: new Date(0),
        });
        const covered = places([...response, ...spill.map(({ pack }) => pack)]).toSorted();
        expect(covered).toEqual(expectedPlaces(input).toSorted());
      }),
      { numRuns: 100 },
    );
  });
});
