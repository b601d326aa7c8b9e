import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ownSourceUrl } from '../../../../local/postgres/own-source.ts';

const home = mkdtempSync(join(tmpdir(), 'cdc-own-source-'));
const certificates = ['url.crt', 'variable.crt', '.postgresql/root.crt'].map((name) => join(home, name));
const [fromUrl, fromVariable, fromHome] = certificates as [string, string, string];

beforeAll(() => {
  mkdirSync(join(home, '.postgresql'));
  for (const file of certificates) writeFileSync(file, 'PEM');
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const url = (query = '') => `postgresql://me:hush@db.example/shop${query}`;
const own = (text: string, environment = {}, at = home) =>
  ownSourceUrl({ CDC_SOURCE_URL: text, ...environment }, at);

describe('CDC_SOURCE_URL', () => {
  it('is optional', () => {
    expect(ownSourceUrl({})).toBeUndefined();
    expect(ownSourceUrl({ CDC_SOURCE_URL: '' })).toBeUndefined();
  });

  it.each(['', '?sslmode=disable', '?sslmode=prefer', '?sslmode=require', '?application_name=me'])(
    'stays as it is with %j',
    (query) => {
      expect(own(url(query))).toBe(url(query));
    },
  );

  it.each([
    ['the URL', `?sslmode=verify-full&sslrootcert=${fromUrl}`, { PGSSLROOTCERT: fromVariable }, fromUrl],
    ['PGSSLROOTCERT', '?sslmode=verify-ca', { PGSSLROOTCERT: fromVariable }, fromVariable],
    ['the home folder', '?sslmode=verify-full', {}, fromHome],
  ])('that verifies the server trusts the authorities that %s names', (_, query, environment, file) => {
    const found = new URL(own(url(query), environment) as string);
    expect(found.searchParams.get('sslrootcert')).toBe(file);
  });

  it.each([
    ['?sslmode=no-verify', /sslmode=no-verify, which PostgreSQL does not know\. Take one of disable, allow/],
    ['?sslmode=verify-full&sslrootcert=/nowhere/ca.crt', /\/nowhere\/ca\.crt, does not exist\. Name it with/],
    ['?sslmode=require&sslrootcert=/ca.crt', /sslmode=require, which does not verify the server\. Take/],
    ['?ssl=true', /has ssl in its query, which the twin does not take/],
    ['?sslcert=a&sslkey=b', /has sslcert, sslkey in its query/],
  ])('is refused with %s, and its password never told', (query, reason) => {
    expect(() => own(url(query))).toThrow(reason);
    expect(() => own(url(query))).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('hush') }),
    );
  });
});
