import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below every system's range for outgoing connections, so that none of these takes a port while the twin rests. */
const LOWEST = 20_000;
const HIGHEST = 32_000;
const ATTEMPTS = 500;

/**
 * A free port of 127.0.0.1 for each name: the one it had before if that is still free, so that addresses outlive a
 * restart, else a random one, so that two twins starting at once don't reach for the same.
 */
export async function choosePorts(
  names: readonly string[],
  before: Readonly<Record<string, number>>,
): Promise<Record<string, number>> {
  const chosen: Record<string, number> = {};
  for (const name of names) {
    const previous = before[name];
    const taken = new Set([...Object.values(chosen), ...Object.values(before)]);
    chosen[name] = previous !== undefined && (await isFree(previous)) ? previous : await freePort(taken);
  }
  return chosen;
}

async function freePort(taken: ReadonlySet<number>): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const port = randomInt(LOWEST, HIGHEST);
    if (!taken.has(port) && (await isFree(port))) return port;
  }
  throw new Error(`No free port between ${LOWEST} and ${HIGHEST} in ${ATTEMPTS} attempts; end some servers.`);
}

/** Whether a server could listen on this port of 127.0.0.1 now. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
