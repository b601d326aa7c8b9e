/** libpq's modes (https://www.postgresql.org/docs/15/libpq-ssl.html#LIBPQ-SSL-PROTECTION). */
export const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;

export type SslMode = (typeof SSL_MODES)[number];

/** What node-postgres takes as `ssl`. Given an sslmode itself, it would check certificates where libpq doesn't. */
export type Ssl = false | { rejectUnauthorized: boolean; ca?: string; checkServerIdentity?: () => undefined };

/**
 * The ways to connect by an sslmode, in libpq's order: `prefer` encrypts where the server can, `allow` only where it
 * must. `require` encrypts without looking at the certificate; the verify modes check it, and `verify-full` the host's
 * name as well.
 * @param authority PEM of the authorities to trust instead of Node's (NODE_EXTRA_CA_CERTS adds to those)
 * @throws Error for an sslmode that libpq doesn't know
 */
export function sslWays(sslmode: string, authority?: string): Ssl[] {
  if (!isSslMode(sslmode)) throw new Error(`sslmode=${sslmode} is not one of ${SSL_MODES.join(', ')}`);
  const encrypted = { rejectUnauthorized: false };
  const verified = { rejectUnauthorized: true, ...(authority === undefined ? {} : { ca: authority }) };
  const ways: Record<SslMode, Ssl[]> = {
    disable: [false],
    allow: [false, encrypted],
    prefer: [encrypted, false],
    require: [encrypted],
    'verify-ca': [{ ...verified, checkServerIdentity: () => undefined }],
    'verify-full': [verified],
  };
  return ways[sslmode];
}

/** Whether an sslmode looks at the server's certificate, and so needs the authorities. */
export function verifiesServer(sslmode: string): boolean {
  return sslmode.startsWith('verify-');
}

/** Connects in the first of the ways, and in the next one where the server refuses this one for its encryption. */
export async function connectInOrder<Connection>(
  [way, ...others]: readonly Ssl[],
  connect: (ssl: Ssl) => Promise<Connection>,
): Promise<Connection> {
  try {
    return await connect(way as Ssl);
  } catch (error) {
    if (others.length === 0 || !refusesEncryption(error as Error)) throw error;
    return connectInOrder(others, connect);
  }
}

/** Said by node-postgres when the server has no TLS, and by the server when pg_hba.conf wants it otherwise. */
function refusesEncryption({ message }: Error): boolean {
  return /does not support SSL|no encryption|no pg_hba.conf entry/.test(message);
}

function isSslMode(sslmode: string): sslmode is SslMode {
  return SSL_MODES.some((mode) => mode === sslmode);
}
