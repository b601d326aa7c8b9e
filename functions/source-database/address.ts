import { z } from 'zod';
import { parseSecret } from '../cdc/secret-text.ts';
import { SSL_MODES, type SslMode } from '../cdc/sslmode.ts';

/** Where the source database listens. */
export type SourceAddress = { host: string; port: number; database: string; sslmode: SslMode };

/** What the environment says of the address; the secret says the rest. */
export type KnownAddress = {
  [Part in keyof SourceAddress]: SourceAddress[Part] | undefined;
};

/** An empty variable is one that isn't set. */
const unset = z.literal('').transform(() => undefined);
const text = z.union([unset, z.string()]).optional();

/** Variables of every function that reaches the source, to be spread into its environment's shape. */
export const ADDRESS_VARIABLES = {
  SOURCE_HOST: text,
  SOURCE_PORT: z.union([unset, z.coerce.number().int().min(1).max(65_535)]).optional(),
  SOURCE_DATABASE: text,
  SOURCE_SSLMODE: z.union([unset, z.enum(SSL_MODES)]).optional(),
};

type AddressVariables = z.output<z.ZodObject<typeof ADDRESS_VARIABLES>>;

export function knownAddress(variables: AddressVariables): KnownAddress {
  return {
    host: variables.SOURCE_HOST,
    port: variables.SOURCE_PORT,
    database: variables.SOURCE_DATABASE,
    sslmode: variables.SOURCE_SSLMODE,
  };
}

/** Amazon RDS writes a secret's fields by these names; one that it manages has no address. `sslmode` is ours. */
const addressSecret = z.object({
  host: z.string().min(1).optional(),
  port: z.coerce.number().int().optional(),
  dbname: z.string().min(1).optional(),
  sslmode: z.enum(SSL_MODES).optional(),
});

/** Whether the secret need not be read for the address. */
export function isWhole({ host, database }: KnownAddress): boolean {
  return host !== undefined && database !== undefined;
}

/**
 * The address by the environment, and by the secret where that is silent. The port is PostgreSQL's when nobody names
 * one, and the connection encrypted with a verified host.
 * @param secret the secret's text; undefined when it was not read
 * @throws Error that names the secret and what is said nowhere
 */
export function sourceAddress(
  known: KnownAddress,
  secretId: string,
  secret: string | undefined,
): SourceAddress {
  const said = secret === undefined ? {} : parseSecret(secretId, secret, addressSecret);
  const host = known.host ?? said.host;
  const database = known.database ?? said.dbname;
  if (host === undefined || database === undefined) {
    const missing = [
      ...(host ? [] : ['host (SOURCE_HOST)']),
      ...(database ? [] : ['dbname (SOURCE_DATABASE)']),
    ];
    throw new Error(
      `Neither the secret ${secretId} nor the environment says the source's ${missing.join(' and ')}; set one of the two.`,
    );
  }
  const port = known.port ?? said.port ?? 5432;
  return { host, port, database, sslmode: known.sslmode ?? said.sslmode ?? 'verify-full' };
}
