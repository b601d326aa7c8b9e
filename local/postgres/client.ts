import type { Client } from 'pg';
import { sourceConnection } from '../../functions/cdc/source-url.ts';
import { withSource } from '../../functions/source-database/connection.ts';

/**
 * Works with a connection to the database of a URL, whose `sslmode` means what it means to libpq: left to node-postgres,
 * `require` would verify the certificate and `prefer` would not fall back.
 * @param connectWithinMs how long to wait for the server; 0: as long as the network does
 * @throws SourceUnreachableError that names address and user
 */
export function withDatabase<T>(
  url: string,
  work: (client: Client) => Promise<T>,
  connectWithinMs = 0,
): Promise<T> {
  const manner = { application: 'cdc', connectWithinMs, statementWithinMs: 0 };
  return withSource(sourceConnection(url), manner, work);
}
