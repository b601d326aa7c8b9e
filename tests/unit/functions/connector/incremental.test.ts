import { describe, expect, it } from '@jest/globals';
import { incrementalOf } from '../../../../functions/connector/incremental.ts';

const streaming = {
  transaction_id: '736',
  lsn_proc: 26620256,
  lsn_commit: 26620256,
  lsn: 26620256,
  txId: 736,
};
const tables = (...ids: string[]) =>
  JSON.stringify(
    ids.map((id) => ({
      incremental_snapshot_collections_id: id,
      incremental_snapshot_collections_additional_condition: null,
      incremental_snapshot_collections_surrogate_key: null,
    })),
  );
const offsets = (offset: Record<string, unknown>) => ({
  offsets: [{ partition: { server: 'cdc' }, offset }],
});

describe('how far an incremental snapshot is', () => {
  it('is unknown until the connector has read beyond the signal', () => {
    expect(incrementalOf(offsets(streaming), '26620257')).toEqual({
      seen: false,
      running: false,
      tables: [],
    });
    expect(incrementalOf(null, '1')).toEqual({ seen: false, running: false, tables: [] });
    expect(incrementalOf({ offsets: [] }, '1').seen).toBe(false);
  });

  it('is done when it was seen and no table is left', () => {
    expect(incrementalOf(offsets(streaming), '26620256')).toEqual({ seen: true, running: false, tables: [] });
    expect(incrementalOf(offsets(streaming), undefined).seen).toBe(true);
  });

  it('names the tables that are left, the current one first', () => {
    const offset = {
      ...streaming,
      incremental_snapshot_collections: tables('public.orders', 'public.users'),
    };
    expect(incrementalOf(offsets(offset), '26620256')).toEqual({
      seen: true,
      running: true,
      tables: ['public.orders', 'public.users'],
    });
    expect(
      incrementalOf(offsets({ ...streaming, incremental_snapshot_collections: '[]' }), '1').running,
    ).toBe(false);
  });
});
