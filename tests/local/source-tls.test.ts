/** What the sslmode of a source's URL means, on a real PostgreSQL whose certificate an authority of the test's has signed. */
import { chmodSync, chownSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { withDatabase } from '../../local/postgres/client.ts';
import { postgresPlace } from '../../local/postgres/place.ts';
import { PROJECT_ROOT } from '../../local/state.ts';
import { type RealPostgres, startRealPostgres } from './real-postgres.ts';

/** An authority, and a certificate by it for a host: ca.crt, server.crt, server.key in a folder. */
const CERTIFY = `
import datetime, sys
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

folder, host = sys.argv[1:]
now = datetime.datetime.now(datetime.timezone.utc)

def certificate(name, key, issuer, issuer_key, authority):
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=9))
    builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    if not authority:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

def named(text):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
files = {
    "ca.crt": certificate(named("authority"), authority_key, named("authority"), authority_key, True),
    "server.crt": certificate(named(host), server_key, named("authority"), authority_key, False),
    "server.key": server_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ),
}
for name, content in files.items():
    with open(f"{folder}/{name}", "wb") as file:
        file.write(content)
`;

const RELOADED_WITHIN_MS = 60_000;
let server: RealPostgres;
let authority: string;
let url: string;

beforeAll(async () => {
  server = await startRealPostgres('source-tls');
  authority = join(server.folder, 'ca.crt');
  url = server.urls.admin.replace('127.0.0.1', 'localhost');
});

afterAll(() => server?.close());

describe('with a server that has no TLS', () => {
  it.each(['', 'sslmode=disable', 'sslmode=allow', 'sslmode=prefer'])('%j connects', async (query) => {
    expect(await encrypted(query)).toBe(false);
  });

  it.each(['require', 'verify-ca', 'verify-full'])('%s refuses', async (sslmode) => {
    await expect(encrypted(`sslmode=${sslmode}`)).rejects.toThrow(/does not support SSL/);
  });
});

describe('with a server that has a certificate for its host', () => {
  beforeAll(() => certify('localhost'));

  it.each(['', 'sslmode=prefer', 'sslmode=require'])('%j encrypts and trusts', async (query) => {
    expect(await encrypted(query)).toBe(true);
  });

  it.each(['disable', 'allow'])('%s does not encrypt', async (sslmode) => {
    expect(await encrypted(`sslmode=${sslmode}`)).toBe(false);
  });

  it.each(['verify-ca', 'verify-full'])('%s wants the authority', async (sslmode) => {
    expect(await encrypted(`sslmode=${sslmode}&sslrootcert=${authority}`)).toBe(true);
    await expect(encrypted(`sslmode=${sslmode}`)).rejects.toThrow(/Can't connect .*certificate/);
  });
});

describe('with a server that has a certificate for another host', () => {
  beforeAll(() => certify('elsewhere.example'));

  it('verify-full refuses what verify-ca takes', async () => {
    expect(await encrypted(`sslmode=verify-ca&sslrootcert=${authority}`)).toBe(true);
    await expect(encrypted(`sslmode=verify-full&sslrootcert=${authority}`)).rejects.toThrow(
      /Can't connect .*does not match certificate/,
    );
  });
});

/** Whether a connection by the URL with this query is encrypted, as the server sees it. */
function encrypted(query: string): Promise<boolean> {
  const look = 'SELECT ssl FROM pg_catalog.pg_stat_ssl WHERE pid = pg_backend_pid()';
  return withDatabase(`${url}?${query}`, async (client) => {
    const { rows } = await client.query<{ ssl: boolean }>(look);
    return rows[0]?.ssl === true;
  });
}

/** Gives the server a certificate for a host, and has it used from now on. */
async function certify(host: string): Promise<void> {
  await execa(join(PROJECT_ROOT, '.venv', 'bin', 'python'), ['-c', CERTIFY, server.folder, host]);
  const { account } = postgresPlace(server.state, () => undefined);
  const key = join(server.folder, 'server.key');
  chmodSync(key, 0o600);
  if (account !== null) chownSync(key, account.uid, account.gid);
  const before = await configuredAt();
  await withDatabase(`${url}?sslmode=disable`, async (client) => {
    await client.query(`ALTER SYSTEM SET ssl_cert_file = '${join(server.folder, 'server.crt')}'`);
    await client.query(`ALTER SYSTEM SET ssl_key_file = '${key}'`);
    await client.query('ALTER SYSTEM SET ssl = on');
    await client.query('SELECT pg_reload_conf()');
  });
  for (const deadline = Date.now() + RELOADED_WITHIN_MS; (await configuredAt()) === before; await pause(50)) {
    if (Date.now() > deadline) throw new Error(`PostgreSQL has not taken its certificate for ${host} yet.`);
  }
}

/** When the server read its configuration; a new connection sees what it was made with. */
function configuredAt(): Promise<string> {
  return withDatabase(`${url}?sslmode=disable`, async (client) => {
    const { rows } = await client.query<{ at: string }>('SELECT pg_conf_load_time()::text AS at');
    return rows[0]?.at ?? '';
  });
}
