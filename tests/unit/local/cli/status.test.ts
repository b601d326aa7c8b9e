import { describe, expect, it } from '@jest/globals';
import { describeStatus } from '../../../../local/cli/status.ts';
import type { PartStatus, Status } from '../../../../local/world.ts';

const PART: PartStatus = { part: 'kafka', state: 'running', ok: true, since: null, detail: 'pid 1' };
const EMPTY: Status = {
  place: 'the twin in .cdc',
  parts: [],
  addresses: {},
  connector: null,
  slot: null,
  tables: [],
  models: [],
  layers: [],
  alarms: null,
};
const captured = { state: 'running', snapshot: 'complete', error: null } as const;

describe('the status of an empty lake says what to do next', () => {
  it.each<[string, Partial<Status>, RegExp]>([
    ['while the twin starts', {}, /the twin is starting; look again/],
    [
      'without a connector',
      { parts: [PART] },
      /snapshot is not to be seen, see `cdc connectors`; .* `cdc run --stage dev`/,
    ],
    [
      'during the first snapshot',
      { parts: [PART], connector: { ...captured, snapshot: 'running' } },
      /the first snapshot is running/,
    ],
    [
      'before the first run',
      { parts: [PART], connector: captured },
      /no run yet: `cdc run --stage dev` starts one/,
    ],
  ])('%s', (_, known, line) => {
    expect(describeStatus({ ...EMPTY, ...known }, 'cdc run --stage dev')).toMatch(line);
  });

  it('without headers over nothing', () => {
    expect(describeStatus(EMPTY)).not.toMatch(/address|detail/);
  });
});
