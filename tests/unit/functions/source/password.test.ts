import { describe, expect, it } from '@jest/globals';
import { scramVerifier } from '../../../../functions/source/password.ts';

describe('the SCRAM verifier of a password', () => {
  it('is what PostgreSQL 15 stores', () => {
    // The salt and the keys of pg_authid.rolpassword after CREATE ROLE r PASSWORD 'pencil' on PostgreSQL 15.
    const salt = Buffer.from('FIzbgsVvG7pb+a0ytYLZkA==', 'base64');
    expect(scramVerifier('pencil', salt)).toBe(
      'SCRAM-SHA-256$4096:FIzbgsVvG7pb+a0ytYLZkA==$Yyl2kdnheEoUVvnBsXY+DhTuCqirQHGvLHtJmPd0fqc=:JgVBbDON7ewsY8i+5Hch7vwdZBM2JQTqaICiDQ4qkM4=',
    );
  });

  it('is another each time', () => {
    expect(scramVerifier('pencil')).not.toBe(scramVerifier('pencil'));
  });

  it('is not made of a password that SASLprep could change', () => {
    expect(() => scramVerifier('pässword')).toThrow(/printable ASCII/);
    expect(() => scramVerifier('')).toThrow(/empty/);
  });
});
