// Prints, as lines of JSON, the packs that the enrichment makes of recorded Debezium events:
//   node tests/glue/recorded-packs.ts <recording> [<recording> ...]
import { ChangeEventReader } from '../../functions/cdc/change-event.ts';
import { tableIdOfTopic } from '../../functions/cdc/names.ts';
import { enrich } from '../../functions/enrich/enrich.ts';
import { PLACEHOLDER, pipeRecord, recordedEvents } from '../recorded-events.ts';

const records = process.argv.slice(2).flatMap((name) => recordedEvents(name).map(pipeRecord));
const tables = new Set(records.flatMap(({ topic }) => tableIdOfTopic(topic) ?? []));
const { response, spill } = enrich(records, {
  epoch: 1,
  cluster: 'recorded',
  tables,
  reader: new ChangeEventReader(PLACEHOLDER),
  now: new Date('2026-01-01T00:00:00.000Z'),
});
for (const pack of [...response, ...spill.map((spilled) => spilled.pack)]) console.log(JSON.stringify(pack));
