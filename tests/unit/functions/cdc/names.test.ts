import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  type EngineTable,
  engineTable,
  glueDatabase,
  type Layer,
  lakeTable,
  landingPrefix,
  landingRoot,
  latestReportKey,
  reportKey,
  sparkTable,
  spillKey,
  tableId,
  tableIdOfTopic,
  topicOf,
} from '../../../../functions/cdc/names.ts';

type Case = Record<string, string> & { layer: Layer; table_id: string; topic: string };

const cases = JSON.parse(
  readFileSync(new URL('../../../fixtures/names.json', import.meta.url), 'utf8'),
) as Case[];
const engineTables: EngineTable[] = ['landed', 'quarantine', 'bronze_schemas', 'silver_truncations'];

describe('names', () => {
  it.each(cases)('of $table_id in $project $stage $layer are those that Python derives too', (expected) => {
    const deployment = { project: expected['project'] as string, stage: expected['stage'] as string };
    const at = new Date(expected['at'] as string);
    const { layer, table_id, topic } = expected;
    const derived = {
      ...deployment,
      layer,
      table_id,
      at: expected['at'],
      glue_database: glueDatabase(deployment),
      lake_table: lakeTable(deployment, layer, table_id),
      spark_table: sparkTable(deployment, lakeTable(deployment, layer, table_id)),
      ...Object.fromEntries(engineTables.map((table) => [table, engineTable(deployment, table)])),
      topic: topicOf(table_id),
      landing_root: landingRoot(table_id),
      landing_prefix: landingPrefix(table_id, at),
      spill_key: spillKey({
        table: table_id,
        topic,
        epoch: 1,
        partition: 0,
        from_offset: '17',
        to_offset: '402',
        at,
      }),
      report_key: reportKey('run-1', layer),
      latest_report_key: latestReportKey(layer),
    };
    expect(derived).toEqual(expected);
    expect(tableIdOfTopic(topic)).toBe(table_id);
  });

  it('of a gold table take the model', () => {
    expect(lakeTable({ project: 'cdc_demo', stage: 'dev' }, 'gold', 'user_analytics')).toBe(
      'cdc_demo_dev_gold_user_analytics',
    );
  });

  it('put a table without a schema into public', () => {
    expect(tableId('users')).toBe('public.users');
    expect(tableId('sales.orders')).toBe('sales.orders');
  });

  it.each(['cdc.heartbeat', 'cdc.users', 'cdc.a.b.c', 'other.public.users', ''])(
    'know no table of the topic "%s"',
    (topic) => {
      expect(tableIdOfTopic(topic)).toBeUndefined();
    },
  );

  it('of a spilled pack differ between epochs, whose offsets start again', () => {
    const position = { table: 'public.users', topic: 'cdc.public.users', partition: 0, from_offset: '0' };
    const key = (epoch: number) => spillKey({ ...position, to_offset: '9', epoch, at: new Date(0) });
    expect(key(1)).not.toBe(key(2));
  });
});
