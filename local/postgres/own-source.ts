/** A PostgreSQL of the user's own, CDC_SOURCE_URL, looked at before anything is started. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { sourceConnection, type UrlConnection } from '../../functions/cdc/source-url.ts';
import { SSL_MODES, verifiesServer } from '../../functions/cdc/sslmode.ts';
import { UsageError } from '../usage-error.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What libpq or other drivers take in a URL's query, and what the twin would not do. */
const NOT_TAKEN = [
  'ssl',
  'sslcert',
  'sslkey',
  'host',
  'hostaddr',
  'port',
  'dbname',
  'user',
  'password',
  'service',
];

/**
 * The URL of CDC_SOURCE_URL, or undefined without one. Where its sslmode verifies the server, `sslrootcert` is in it
 * afterwards: from the URL, else PGSSLROOTCERT, else `~/.postgresql/root.crt`, as for libpq
 * (https://www.postgresql.org/docs/15/libpq-ssl.html).
 * @throws UsageError that says what is wrong with it, never with its password
 */
export function ownSourceUrl(environment: Environment, home: string = homedir()): string | undefined {
  const text = environment['CDC_SOURCE_URL'];
  if (!text) return undefined;
  const { sslmode, sslrootcert } = parsed(text);
  const url = new URL(text);
  const foreign = NOT_TAKEN.filter((name) => url.searchParams.has(name));
  if (foreign.length > 0) {
    throw new UsageError(
      `CDC_SOURCE_URL has ${foreign.join(', ')} in its query, which the twin does not take: user, password, host, port and database stand before the question mark, and TLS is sslmode with sslrootcert.`,
    );
  }
  if (!SSL_MODES.some((mode) => mode === sslmode)) {
    throw new UsageError(
      `CDC_SOURCE_URL has sslmode=${sslmode}, which PostgreSQL does not know. Take one of ${SSL_MODES.join(', ')}; require encrypts without looking at the certificate.`,
    );
  }
  if (!verifiesServer(sslmode)) {
    // libpq verifies for `require`, too, when it is given authorities; JDBC and with it Debezium do not.
    if (sslrootcert === undefined) return text;
    throw new UsageError(
      `CDC_SOURCE_URL has sslrootcert with sslmode=${sslmode}, which does not verify the server. Take sslmode=verify-ca or verify-full, or leave sslrootcert out.`,
    );
  }
  const file = resolve(sslrootcert ?? environment['PGSSLROOTCERT'] ?? join(home, '.postgresql', 'root.crt'));
  if (!existsSync(file)) {
    throw new UsageError(
      `CDC_SOURCE_URL has sslmode=${sslmode}, but the file with the authorities to trust, ${file}, does not exist. Name it with sslrootcert=<file> in the URL or in PGSSLROOTCERT, or take sslmode=require, which does not verify the server.`,
    );
  }
  url.searchParams.set('sslrootcert', file);
  return url.href;
}

function parsed(url: string): UrlConnection {
  try {
    return sourceConnection(url);
  } catch (error) {
    throw new UsageError(`CDC_SOURCE_URL can't be used. ${(error as Error).message}`, { cause: error });
  }
}
