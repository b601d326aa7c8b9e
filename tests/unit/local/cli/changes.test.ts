import { describe, expect, it } from '@jest/globals';
import { changesSummary, changesTable } from '../../../../local/cli/changes.ts';
import type { PlannedChange } from '../../../../local/stage/change-set.ts';

const change = (part: Partial<PlannedChange>): PlannedChange => ({
  action: 'Modify',
  logicalId: 'BronzeJob',
  type: 'AWS::Glue::Job',
  replaced: 'no',
  because: ['Timeout'],
  ...part,
});

const changes = [
  change({}),
  change({ action: 'Add', logicalId: 'TopicInvoices', because: [] }),
  change({ logicalId: 'KafkaCluster', replaced: 'maybe' }),
  change({ logicalId: 'Database', replaced: 'yes' }),
  change({ action: 'Remove', logicalId: 'PipeOrders' }),
];

describe('the table of planned changes', () => {
  it('begins with what loses something', () => {
    const order = [
      ...changesTable(changes).matchAll(/Database|PipeOrders|KafkaCluster|BronzeJob|TopicInvoices/g),
    ];
    expect(order.map(([name]) => name)).toEqual([
      'Database',
      'PipeOrders',
      'KafkaCluster',
      'BronzeJob',
      'TopicInvoices',
    ]);
  });

  it('counts them', () => {
    expect(changesSummary(changes)).toBe('1 added, 3 modified, 1 of them replaced, 1 removed');
  });
});
