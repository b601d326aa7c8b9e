import { describe, expect, it } from '@jest/globals';
import { sourceConnection } from '../../../../functions/cdc/source-url.ts';

describe('the parts of a source URL', () => {
  it('are those that the connector needs', () => {
    expect(sourceConnection('postgresql://me:p%40ss@db.example:6543/shop?sslmode=require')).toEqual({
      host: 'db.example',
      port: 6543,
      database: 'shop',
      user: 'me',
      password: 'p@ss',
      sslmode: 'require',
    });
  });

  it('have PostgreSQL’s defaults for port and sslmode', () => {
    expect(sourceConnection('postgres://me@[::1]/shop')).toMatchObject({
      host: '::1',
      port: 5432,
      sslmode: 'prefer',
      password: '',
    });
  });

  it('name the authorities of the server’s certificate where the URL does', () => {
    const url = 'postgresql://me@db/shop?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.crt';
    expect(sourceConnection(url)).toMatchObject({ sslmode: 'verify-full', sslrootcert: '/etc/ca.crt' });
    expect(sourceConnection('postgresql://me@db/shop')).not.toHaveProperty('sslrootcert');
  });

  it('are refused by name, without the password', () => {
    expect(() => sourceConnection('mysql://me:hush@db/shop')).toThrow(/^The source URL must read/);
    expect(() => sourceConnection('postgresql://me:hush@db')).toThrow('The source URL names no database.');
    expect(() => sourceConnection('postgresql://db/shop')).toThrow('The source URL names no user.');
  });
});
