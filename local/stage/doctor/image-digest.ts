/** Finds the digest that a container image's tag stands for, by the registry's HTTP API, without Docker. */

/** https://github.com/opencontainers/distribution-spec/blob/main/spec.md: an index names one manifest a platform. */
const MANIFESTS = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

const WITHIN_MS = 20_000;

/** An image as `quay.io/debezium/connect` and its tag; `registry` with scheme, for other than https. */
export type ImageTag = { registry: string; repository: string; tag: string };

/**
 * `sha256:...` of a tag, as the registry has it now.
 * @throws Error that says what the registry answered
 */
export async function resolveDigest({ registry, repository, tag }: ImageTag): Promise<string> {
  const url = `${registry}/v2/${repository}/manifests/${tag}`;
  let answer = await head(url);
  if (answer.status === 401) {
    const token = await anonymousToken(answer.headers.get('www-authenticate') ?? '', url);
    answer = await head(url, token);
  }
  if (answer.status === 404) throw new Error(`${registry} has no ${repository}:${tag}`);
  if (!answer.ok) throw new Error(`${url} answered ${answer.status} ${answer.statusText}`);
  const digest = answer.headers.get('docker-content-digest');
  if (!digest || !/^sha256:[0-9a-f]{64}$/.test(digest)) {
    throw new Error(`${url} answered without a Docker-Content-Digest`);
  }
  return digest;
}

function head(url: string, token?: string): Promise<Response> {
  const headers = { accept: MANIFESTS, ...(token ? { authorization: `Bearer ${token}` } : {}) };
  return fetch(url, { method: 'HEAD', headers, signal: AbortSignal.timeout(WITHIN_MS) });
}

/** `Bearer realm="...",service="...",scope="..."`: https://distribution.github.io/distribution/spec/auth/token/ */
async function anonymousToken(challenge: string, url: string): Promise<string> {
  const told = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]),
  );
  const { realm, ...query } = told;
  if (!realm) throw new Error(`${url} asks for a login`);
  const answer = await fetch(`${realm}?${new URLSearchParams(query)}`, {
    signal: AbortSignal.timeout(WITHIN_MS),
  });
  const { token } = (await answer.json()) as { token?: string };
  if (!answer.ok || !token) throw new Error(`${realm} gave no token to read ${url}`);
  return token;
}
