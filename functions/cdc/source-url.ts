import type { SourceConnection } from './connector-config.ts';

/** `sslrootcert`: the file with the authorities of the server's certificate. */
export type UrlConnection = SourceConnection & { sslrootcert?: string };

/**
 * What a PostgreSQL URL says of the source: host, port (5432 when left out), database, user and password;
 * `sslmode` from its query, else prefer, and `sslrootcert`.
 * @throws Error naming the part that is missing; the message never holds the password.
 */
export function sourceConnection(url: string): UrlConnection {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !/^postgres(ql)?:$/.test(parsed.protocol)) {
    throw new Error('The source URL must read postgresql://<user>:<password>@<host>:<port>/<database>.');
  }
  const sslrootcert = parsed.searchParams.get('sslrootcert');
  const connection = {
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(parsed.port || 5432),
    database: decodeURIComponent(parsed.pathname.slice(1)),
    user: decodeURIComponent(parsed.username),
    password: decodeURIComponent(parsed.password),
    sslmode: parsed.searchParams.get('sslmode') ?? 'prefer',
    ...(sslrootcert ? { sslrootcert } : {}),
  };
  for (const part of ['host', 'database', 'user'] as const) {
    if (connection[part] === '') throw new Error(`The source URL names no ${part}.`);
  }
  return connection;
}
