import { describe, expect, it } from '@jest/globals';
import type { Finding } from '../../../../functions/cdc/source-rules.ts';
import { refusalOf, removalRefusal } from '../../../../functions/source/refusal.ts';

const finding = (severity: Finding['severity'], message: string): Finding => ({
  severity,
  code: 'code',
  table: null,
  message,
  remedy: 'DO THIS',
});
const prepared = { ok: true, findings: [], identity: null, messageKeys: {}, done: [], script: null };

describe('why a source is refused', () => {
  it('is nothing when it is ready, warnings or not', () => {
    expect(refusalOf({ ...prepared, findings: [finding('warn', 'An array.')] })).toBeNull();
  });

  it('is each finding that refuses, with its remedy', () => {
    const findings = [finding('refuse', 'wal_level is replica.'), finding('warn', 'An array.')];
    expect(refusalOf({ ...prepared, ok: false, findings })).toBe('wal_level is replica. DO THIS.');
  });

  it("is the owner's script, which is not part of it", () => {
    const reason = refusalOf({ ...prepared, ok: false, script: 'CREATE ROLE x PASSWORD y' });
    expect(reason).toContain('have the owner of the database run the script');
    expect(reason).not.toContain('CREATE ROLE');
  });
});

describe('why something was not taken away', () => {
  it('is that its owner must do it', () => {
    expect(removalRefusal({ script: null })).toBeNull();
    expect(removalRefusal({ script: 'DROP ROLE x' })).toContain(
      'have the owner of the database run the script',
    );
  });
});
