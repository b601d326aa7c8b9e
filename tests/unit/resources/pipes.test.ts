import { describe, expect, it } from '@jest/globals';
import { landingPrefix } from '../../../functions/cdc/names.ts';
import { parseRegistry } from '../../../functions/cdc/registry.ts';
import { pipePlans } from '../../../local/pipe/plan.ts';
import type { Resource } from '../../../resources/generated.ts';
import { logicalId } from '../../../resources/logical-id.ts';
import { deliveries, pipes } from '../../../resources/pipes.ts';
import { deployedRegistry, stageContext } from './stage-context.ts';

const PREFIX = 'cdc-demo-dev';
const SETTINGS = 'ManagedStreamingKafkaParameters';

async function resourcesOf(context = stageContext('dev')): Promise<Record<string, Resource>> {
  return (await pipes(context)).Resources ?? {};
}

// biome-ignore lint/suspicious/noExplicitAny: a template's properties are as deep as CloudFormation's.
const properties = (resource: Resource | undefined): any => resource?.Properties;

describe('the delivery of a topic', () => {
  it('has the names that the local twin gives it, but for what AWS allows no longer', () => {
    const deployment = { project: 'cdc_demo', stage: 'dev' };
    const plans = pipePlans(deployment, deployedRegistry());
    expect(deliveries(PREFIX, deployedRegistry()).map(({ pipe: _pipe, ...rest }) => rest)).toEqual(plans);
  });

  it('is named within 64 characters, and no two names meet where they are cut', () => {
    const long = 'a'.repeat(60);
    const registry = parseRegistry(
      `project: cdc_demo\nepoch: 1\ntables:\n  ${long}_1:\n  ${long}_2:\n  ${long}_3:\n`,
    );
    const names = deliveries(PREFIX, registry).flatMap(({ pipe, stream }) => [pipe, stream]);
    expect(names.every((name) => name.length <= 64)).toBe(true);
    expect(new Set(names).size).toBe(4);
    expect(names.every((name) => name.startsWith(`${PREFIX}-`))).toBe(true);
  });

  it('exists for each captured table and for the transaction metadata', async () => {
    const resources = await resourcesOf();
    const tables = [...deployedRegistry().tables.map(({ id }) => id), 'debezium.transaction'];
    const ids = tables.flatMap((table) => [logicalId('Stream', table), logicalId('Pipe', table)]);
    expect(Object.keys(resources)).toEqual(ids);
  });
});

describe('a pipe', () => {
  it('reads its topic from the beginning in a group of its own, once the topic and the network are there', async () => {
    const resource = (await resourcesOf())['PipeOrders'];
    expect(resource?.DependsOn).toEqual(['TopicOrders', 'NetworkReady']);
    expect(properties(resource).SourceParameters[SETTINGS]).toEqual({
      TopicName: 'cdc.public.orders',
      ConsumerGroupID: 'cdc-demo-dev-pipe-orders',
      StartingPosition: 'TRIM_HORIZON',
      BatchSize: 500,
      MaximumBatchingWindowInSeconds: 5,
    });
  });

  it('logs what failed without the rows that it failed on', async () => {
    const { LogConfiguration } = properties((await resourcesOf())['PipeUsers']);
    expect(LogConfiguration.Level).toBe('ERROR');
    expect(LogConfiguration).not.toHaveProperty('IncludeExecutionData');
  });
});

describe('a delivery stream', () => {
  it.each(['public.orders', 'debezium.transaction'])(
    'lands %s in the hour that bronze looks into',
    async (table) => {
      const stream = properties((await resourcesOf())[logicalId('Stream', table)]);
      const { Prefix, ErrorOutputPrefix } = stream.ExtendedS3DestinationConfiguration;
      expect(atHour(Prefix, '2026/01/31/23')).toBe(landingPrefix(table, new Date('2026-01-31T23:59:59Z')));
      expect(ErrorOutputPrefix.startsWith('landing/')).toBe(false);
    },
  );

  it('puts each pack on a line of its own', async () => {
    const { ProcessingConfiguration } = properties(
      (await resourcesOf())['StreamOrders'],
    ).ExtendedS3DestinationConfiguration;
    expect(ProcessingConfiguration).toEqual({
      Enabled: true,
      Processors: [
        {
          Type: 'AppendDelimiterToRecord',
          Parameters: [{ ParameterName: 'Delimiter', ParameterValue: '\\n' }],
        },
      ],
    });
  });
});

/** What Firehose makes of a prefix at an hour: its one expression, by Java's pattern for it. */
function atHour(prefix: string, hour: string): string {
  return prefix.replace('!{timestamp:yyyy/MM/dd/HH}', hour);
}
