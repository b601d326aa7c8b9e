import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { choosePorts } from '../../../../local/process/ports.ts';

describe('the choice of ports', () => {
  it('keeps the ports of the last time while they are free', async () => {
    const first = await choosePorts(['a', 'b'], {});
    expect(await choosePorts(['a', 'b'], first)).toEqual(first);
  });

  it('replaces only a port that is taken now', async () => {
    const first = await choosePorts(['a', 'b'], {});
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(first['a'], '127.0.0.1', resolve));
    const second = await choosePorts(['a', 'b'], first);
    server.close();
    expect(second['a']).not.toBe(first['a']);
    expect(second['b']).toBe(first['b']);
  });

  it('gives every name its own', async () => {
    const ports = Object.values(await choosePorts(['a', 'b', 'c', 'd', 'e', 'f'], {}));
    expect(new Set(ports).size).toBe(6);
  });
});
