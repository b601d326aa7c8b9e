import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import type { Pack } from '../../../../functions/cdc/pack.ts';

const root = path.resolve(import.meta.dirname, '../../../..');
const bin = path.join(root, 'node_modules', '.bin');

describe('sls invoke local', () => {
  it('prints the packs of a recorded batch, without credentials', async () => {
    const { stdout } = await promisify(execFile)(
      path.join(bin, 'sls'),
      ['invoke', 'local', '-f', 'enrich', '--stage', 'local', '--path', 'tests/fixtures/pipe/orders.json'],
      { cwd: root, timeout: 240_000, env: { PATH: `${bin}${path.delimiter}${process.env['PATH']}` } },
    );
    // Log and metric lines come first; the answer is the last, indented JSON text.
    const packs = JSON.parse(stdout.slice(stdout.indexOf('\n[\n'))) as Pack[];
    expect(packs).toHaveLength(1);
    expect(packs[0]).toMatchObject({
      cluster: 'local-kafka',
      table: 'public.orders',
      from_offset: '0',
      to_offset: '18',
      quarantined: [],
    });
    expect(packs[0]?.events.find(({ offset }) => offset === '8')).toMatchObject({
      key: '{"id":20}',
      prior_key: '{"id":2}',
      unchanged: ['notes'],
    });
  });
});
