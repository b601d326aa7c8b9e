import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { topicPlans } from '../../../functions/cdc/connector-config.ts';
import { readEvent as readConnectorEvent } from '../../../functions/connector/event.ts';
import { readEvent as readSourceEvent } from '../../../functions/source/event.ts';
import { captureParts } from '../../../resources/capture.ts';
import { registryOf, resourceOf } from './stage-context.ts';

const text = readFileSync(join(import.meta.dirname, '../../../resources/capture.yml'), 'utf8');
const part = (id: string, tables: number) =>
  resourceOf(captureParts({ registry: registryOf(tables), stage: 'dev' }), id);
const registration = (tables: number) => part('ConnectorRegistration', tables);

describe('the registration of the connector', () => {
  it('waits for Connect, and with the keys for what the preparation of the source waits for', () => {
    expect(registration(1).DependsOn).toBe('ConnectService');
  });

  it('sends events that the function takes, with the keys that the source was prepared for', () => {
    const { Create, Delete } = registration(1).Properties as Record<string, Record<string, unknown>>;
    expect(Create?.['messageKeys']).toEqual({ 'Fn::GetAtt': ['SourcePreparation', 'messageKeys'] });
    const resolved = { ...Create, messageKeys: '{"public.many":["code"]}' };
    expect(readConnectorEvent(resolved)).toMatchObject({
      action: 'apply',
      messageKeys: { 'public.many': ['code'] },
    });
    expect(readConnectorEvent(Delete)).toMatchObject({ action: 'remove' });
  });

  it('is kept by a schedule that sends the same keys', () => {
    const input = /Input: !Sub '(.+)'/.exec(text)?.[1] ?? '';
    const resolved = input.replace('${' + 'SourcePreparation.messageKeys}', '{"public.many":["code"]}');
    expect(readConnectorEvent(JSON.parse(resolved))).toEqual({
      action: 'keep',
      messageKeys: { 'public.many': ['code'] },
    });
  });
});

describe('the preparation of the source', () => {
  it('waits for the network and every topic: a table that is published before it has one would get Connect’s', () => {
    const topics = topicPlans({ project: 'cdc_demo', stage: 'dev' }, registryOf(60)).length;
    const { DependsOn } = part('SourcePreparation', 60);
    expect(DependsOn).toHaveLength(1 + topics);
    expect(DependsOn).toEqual(expect.arrayContaining(['NetworkReady', 'TopicDebeziumHeartbeat']));
  });

  it('is asked again, before the connector, when the platform’s own tables get other names', () => {
    const own = ['debezium.cdc_demo_dev_signal', 'debezium.cdc_demo_dev_heartbeat'];
    for (const id of ['SourcePreparation', 'ConnectorRegistration']) {
      expect(part(id, 1).Properties['PlatformTables']).toEqual(own);
    }
  });

  it('sends events that the function takes', () => {
    const { Create, Update, Delete } = part('SourcePreparation', 1).Properties;
    expect([Create, Update, Delete].map((event) => readSourceEvent(event).action)).toEqual([
      'prepare',
      'prepare',
      'remove',
    ]);
  });
});
