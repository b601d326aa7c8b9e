import { fileURLToPath } from 'node:url';

/** A program to start: its path, arguments and what its environment has beside PATH and the like. */
export type Command = { command: string; args: string[]; env: Record<string, string> };

/** moto's server: `python` is the interpreter that has it, `endpointPort` where its state machines' calls go. */
export function motoCommand(options: { python: string; port: number; endpointPort: number }): Command {
  return {
    command: options.python,
    args: [fileURLToPath(new URL('./moto_server.py', import.meta.url)), '-p', String(options.port)],
    env: { MOTO_PORT: String(options.endpointPort), PYTHONUNBUFFERED: '1' },
  };
}

/** Whether moto answers. */
export async function motoIsReady(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/moto-api/data.json`, { signal: AbortSignal.timeout(2000) });
    return answer.ok;
  } catch {
    return false;
  }
}
