import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  connectorConfig,
  connectorName,
  epochOf,
  HEARTBEAT_TOPIC,
  NOTIFICATION_TOPIC,
  platformTables,
  RECORD_CAP_BYTES,
  SOURCE_PASSWORD_REFERENCE,
  slotName,
  TOPIC_MAX_MESSAGE_BYTES,
  topicPlans,
  withMessageKeys,
} from '../../../../functions/cdc/connector-config.ts';
import { parseRegistry } from '../../../../functions/cdc/registry.ts';

const PIPE_BATCH_BYTES = 6 * 1024 * 1024;
const deployment = { project: 'cdc_demo', stage: 'dev' };
const sample = parseRegistry(readFileSync('tables.yml', 'utf8'));

function config(registry = sample): Record<string, string> {
  return connectorConfig({
    ...deployment,
    registry,
    connection: {
      host: 'db.internal',
      port: 5432,
      database: 'shop',
      user: 'replicator',
      password: SOURCE_PASSWORD_REFERENCE,
      sslmode: 'verify-full',
    },
    placeholder: 'f00d',
    replicationFactor: 2,
  });
}

describe('the connector configuration', () => {
  it('has every setting that decides correctness', () => {
    expect(config()).toMatchObject({
      'key.converter.replace.null.with.default': 'false',
      'value.converter.replace.null.with.default': 'false',
      'value.converter.schemas.enable': 'true',
      'decimal.handling.mode': 'string',
      'column.propagate.source.type': '.*',
      'time.precision.mode': 'adaptive_time_microseconds',
      'interval.handling.mode': 'string',
      'hstore.handling.mode': 'json',
      'include.unknown.datatypes': 'true',
      'unavailable.value.placeholder': 'f00d',
      'skipped.operations': 'none',
      'tombstones.on.delete': 'true',
      'publication.autocreate.mode': 'disabled',
      'provide.transaction.metadata': 'true',
      'snapshot.mode': 'initial',
      'signal.data.collection': 'debezium.cdc_demo_dev_signal',
      'notification.enabled.channels': 'sink',
      'notification.sink.topic.name': NOTIFICATION_TOPIC,
    });
  });

  it('has every record say its epoch', () => {
    const registry = parseRegistry('project: demo\nepoch: 3\ntables: {users: {}}');
    expect(config(registry)).toMatchObject({
      transforms: 'epoch',
      'transforms.epoch.type': 'org.apache.kafka.connect.transforms.InsertHeader',
      'transforms.epoch.header': 'cdc.epoch',
      'transforms.epoch.value.literal': '3',
    });
    expect(epochOf(config(registry))).toBe(3);
    expect(epochOf({ 'connector.class': 'of before' })).toBe(1);
  });

  it('captures the tables of the registry and the signal table, by literal names', () => {
    const registry = parseRegistry('project: demo\nepoch: 1\ntables: {users: {}, sales.orders: {}}');
    expect(config(registry)['table.include.list']).toBe(
      'public\\.users,sales\\.orders,debezium\\.cdc_demo_dev_signal',
    );
  });

  it('names the key columns only of tables whose entry names them', () => {
    expect(config()).not.toHaveProperty('message.key.columns');
    const registry = parseRegistry(
      'project: demo\nepoch: 1\ntables: {users: {key: [id]}, a: {}, b: {key: [x, y]}}',
    );
    expect(config(registry)['message.key.columns']).toBe('public\\.users:id;public\\.b:x,y');
  });

  it('names the key columns that the source asks for, unless the entry names its own', () => {
    const { tables } = parseRegistry('project: demo\nepoch: 1\ntables: {users: {key: [id]}, a: {}, b: {}}');
    const keyed = withMessageKeys(tables, { 'public.users': ['code'], 'public.a': ['code', 'unit'] });
    expect(keyed.map(({ key }) => key)).toEqual([['id'], ['code', 'unit'], null]);
    expect(() => withMessageKeys(tables, { 'public.c': ['id'] })).toThrow('tables.yml has no public.c');
  });

  it("refers to the password in the worker's environment", () => {
    expect(config()['database.password']).toBe('${' + 'env:SOURCE_PASSWORD}');
  });

  it('is the same for the same input, so that an unchanged one is not put again', () => {
    expect(JSON.stringify(config())).toBe(JSON.stringify(config()));
  });
});

describe('the record cap', () => {
  it('fits a pipe batch after base64, with room for key, headers and the rest of the event', () => {
    expect((RECORD_CAP_BYTES * 4) / 3).toBeLessThan(PIPE_BATCH_BYTES * 0.95);
  });

  it('leaves the broker room for what the producer does not count', () => {
    expect(TOPIC_MAX_MESSAGE_BYTES).toBeGreaterThan(RECORD_CAP_BYTES);
    for (const { config: settings } of topicPlans(deployment, sample)) {
      expect(settings['max.message.bytes']).toBe(String(TOPIC_MAX_MESSAGE_BYTES));
    }
  });
});

describe('the topics made beforehand', () => {
  it('are those of every table, of transactions, signals, heartbeats and notifications', () => {
    const registry = parseRegistry('project: demo\nepoch: 1\ntables: {users: {}, sales.orders: {}}');
    expect(topicPlans(deployment, registry).map(({ topic }) => topic)).toEqual([
      'cdc.public.users',
      'cdc.sales.orders',
      'cdc.transaction',
      'cdc.debezium.cdc_demo_dev_signal',
      HEARTBEAT_TOPIC,
      NOTIFICATION_TOPIC,
    ]);
  });
});

describe('names in PostgreSQL and Connect', () => {
  it('come from project and stage', () => {
    expect(slotName(deployment)).toBe('cdc_demo_dev');
    expect(connectorName(deployment)).toBe('cdc_demo_dev_postgres');
  });

  it('of a stage’s own tables are no other stage’s, and not cut', () => {
    expect(platformTables({ project: 'cdc_demo', stage: 'Feature-12' })).toEqual({
      signal: 'debezium.cdc_demo_feature_12_signal',
      heartbeat: 'debezium.cdc_demo_feature_12_heartbeat',
    });
    const long = { project: 'p'.repeat(30), stage: 's'.repeat(23) };
    expect(() => platformTables(long)).toThrow('longer than the 63 characters');
  });

  it('hold only what PostgreSQL allows in a slot', () => {
    expect(slotName({ project: 'cdc_demo', stage: 'Feature-12' })).toBe('cdc_demo_feature_12');
  });

  it('are refused when PostgreSQL would cut them', () => {
    expect(() => slotName({ project: 'cdc_demo', stage: 'x'.repeat(60) })).toThrow(/63 characters/);
  });
});
