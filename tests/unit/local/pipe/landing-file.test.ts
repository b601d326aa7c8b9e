import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { LandingFile, landingKey } from '../../../../local/pipe/landing-file.ts';

describe('a landing file', () => {
  it('is named by the arrival of its oldest record, in UTC', () => {
    const at = new Date('2026-01-31T23:59:58.999Z');
    expect(landingKey('public.users', 'cdc-demo-dev-users', at, 'f00')).toBe(
      'landing/public.users/2026/01/31/23/cdc-demo-dev-users-1-2026-01-31-23-59-58-f00.gz',
    );
  });

  it('holds one record a line', async () => {
    const file = new LandingFile();
    file.add(0, '2', ['{"a":1}', '{"b":"é"}'], new Date());
    file.add(0, '3', ['{}'], new Date());
    expect(gunzipSync(await file.content()).toString()).toBe('{"a":1}\n{"b":"é"}\n{}\n');
    expect({ bytes: file.bytes, records: file.records }).toEqual({ bytes: 22, records: 3 });
  });

  it('keeps the next offset of each partition, also of batches without a record', () => {
    const file = new LandingFile();
    const first = new Date(1);
    file.add(0, '2', [], first);
    file.add(1, '7', ['{}'], new Date(2));
    file.add(0, '5', [], new Date(3));
    expect(file.openedAt).toBe(first);
    expect(file.offsets).toEqual([
      { partition: 0, offset: '5' },
      { partition: 1, offset: '7' },
    ]);
  });
});
