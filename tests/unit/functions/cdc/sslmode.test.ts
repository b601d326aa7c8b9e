import { describe, expect, it } from '@jest/globals';
import { connectInOrder, type Ssl, sslWays } from '../../../../functions/cdc/sslmode.ts';

describe('an sslmode', () => {
  it.each<[string, Ssl[]]>([
    ['disable', [false]],
    ['allow', [false, { rejectUnauthorized: false }]],
    ['prefer', [{ rejectUnauthorized: false }, false]],
    ['require', [{ rejectUnauthorized: false }]],
    ['verify-full', [{ rejectUnauthorized: true, ca: 'PEM' }]],
  ])('%s means what it means to libpq', (sslmode, ways) => {
    expect(sslWays(sslmode, 'PEM')).toEqual(ways);
  });

  it('verify-ca checks the certificate, but not the name in it', () => {
    const [way] = sslWays('verify-ca', 'PEM');
    expect(way).toMatchObject({ rejectUnauthorized: true, ca: 'PEM' });
    expect((way as Exclude<Ssl, false>).checkServerIdentity?.()).toBeUndefined();
    expect(way).toHaveProperty('checkServerIdentity');
  });

  it("trusts Node's authorities when none are given", () => {
    expect(sslWays('verify-full')).toEqual([{ rejectUnauthorized: true }]);
  });

  it('is refused when libpq does not know it', () => {
    expect(() => sslWays('no-verify')).toThrow('sslmode=no-verify is not one of disable, allow, prefer');
  });
});

describe('connecting', () => {
  const refusing = (message: string) => {
    const tried: Ssl[] = [];
    return {
      tried,
      connect: async (ssl: Ssl) => {
        tried.push(ssl);
        if (tried.length === 1) throw new Error(message);
        return 'connected';
      },
    };
  };

  it.each([
    ['prefer', 'The server does not support SSL connections'],
    ['allow', 'no pg_hba.conf entry for host "10.0.0.1", user "u", database "shop", no encryption'],
  ])('by %s takes the other way when this one is refused', async (sslmode, message) => {
    const { tried, connect } = refusing(message);
    await expect(connectInOrder(sslWays(sslmode), connect)).resolves.toBe('connected');
    expect(tried).toEqual(sslWays(sslmode));
  });

  it.each([
    ['prefer', 'password authentication failed for user "u"'],
    ['require', 'The server does not support SSL connections'],
  ])('by %s fails for "%s"', async (sslmode, message) => {
    const { tried, connect } = refusing(message);
    await expect(connectInOrder(sslWays(sslmode), connect)).rejects.toThrow(message);
    expect(tried).toHaveLength(1);
  });
});
