/**
 * What the enrichment gains over the plain way. Both turn the same records into packs, and the packs into the text that
 * leaves the Lambda; the texts are compared byte for byte before anything is measured.
 *
 *   npm run bench:enrich [-- records]
 */
import assert from 'node:assert/strict';
import { ChangeEventReader } from '../../functions/cdc/change-event.ts';
import type { PipeKafkaRecord } from '../../functions/cdc/kafka-record.ts';
import { enrich } from '../../functions/enrich/enrich.ts';
import { PLACEHOLDER } from '../recorded-events.ts';
import { kafkaBytes, orderRecords } from './order-records.ts';
import { enrichPlainly } from './plain-way.ts';

const RECORDS = Number(process.argv[2] ?? 100_000);
/** The most that a pipe sends to a function whose packs go to Firehose. */
const BATCH = 500;
/** Batches that one way runs before the other's turn: enough for each to clear away its own garbage. */
const TURN = 20;
const ROUNDS = 7;
const AIM = 4;

const now = new Date('2026-11-23T09:00:00.000Z');
const head = { epoch: 1, cluster: 'bench', topic: 'cdc.public.orders', table: 'public.orders', partition: 0 };
const context = {
  epoch: head.epoch,
  cluster: head.cluster,
  tables: new Set([head.table]),
  reader: new ChangeEventReader(PLACEHOLDER),
  now,
};

const ways = {
  enrich: (records: PipeKafkaRecord[]) => JSON.stringify(enrich(records, context).response),
  plain: (records: PipeKafkaRecord[]) =>
    JSON.stringify(enrichPlainly(records, { ...head, landed_at: now.toISOString() })),
};

type Way = keyof typeof ways;

const bytes = compare();
console.log(`${RECORDS} records, ${Math.round(bytes / RECORDS)} bytes each: both ways give the same packs\n`);
const rounds = Array.from({ length: ROUNDS }, (_, round) => measure(round));
report('enrich');
report('plain');
const ratio = median(rounds.map(({ enrich, plain }) => plain / enrich));
console.log(`\n${ratio.toFixed(1)} times the plain way (median of ${ROUNDS} rounds; aim: ${AIM})`);

/** Runs every batch both ways. Gives the bytes of all keys and values. */
function compare(): number {
  let total = 0;
  forEachTurn((batches) => {
    for (const records of batches) {
      assert.equal(ways.enrich(records), ways.plain(records));
      total += kafkaBytes(records);
    }
  });
  return total;
}

/**
 * CPU seconds that each way takes for all records, so that other programs of the machine don't count. The ways take
 * turns; which one begins changes from round to round.
 */
function measure(round: number): Record<Way, number> {
  const seconds = { enrich: 0, plain: 0 };
  const order: Way[] = round % 2 === 0 ? ['enrich', 'plain'] : ['plain', 'enrich'];
  forEachTurn((batches) => {
    for (const way of order) {
      const start = process.cpuUsage();
      for (const records of batches) ways[way](records);
      const { user, system } = process.cpuUsage(start);
      seconds[way] += (user + system) / 1e6;
    }
  });
  return seconds;
}

function forEachTurn(run: (batches: PipeKafkaRecord[][]) => void): void {
  for (let first = 0; first < RECORDS; first += TURN * BATCH) {
    const batches: PipeKafkaRecord[][] = [];
    for (let offset = first; offset < Math.min(first + TURN * BATCH, RECORDS); offset += BATCH) {
      batches.push(orderRecords(offset, Math.min(BATCH, RECORDS - offset)));
    }
    run(batches);
  }
}

function report(way: Way): void {
  const seconds = median(rounds.map((round) => round[way]));
  const perSecond = Math.round(RECORDS / seconds).toLocaleString('en');
  console.log(
    `${way.padEnd(7)} ${perSecond.padStart(9)} records/s ${(bytes / seconds / 1e6).toFixed(0).padStart(5)} MB/s of one CPU`,
  );
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}
