import { fileURLToPath } from 'node:url';

/** A program to start: its path, arguments and what its environment has beside PATH and the like. */
export type Command = { command: string; args: string[]; env: Record<string, string> };

export type MotoOptions = {
  /** The interpreter that has moto. */
  python: string;
  port: number;
  /** Where its state machines' calls go, and those that a stack's resources are made by. */
  endpointPort: number;
  /** Set: stacks are deployed; the real servers behind what moto only keeps a record of. */
  standIns?: StandIns;
  /** Set: the Wait states of state machines last so many times shorter. */
  waitsDividedBy?: number;
};

/** Real servers for a deployment's database and Kafka Connect; see `StandIns` in cloudformation/resource.py. */
export type StandIns = {
  database?: { host: string; port: number; username: string; password: string };
  /** Where Connect will answer once its ECS service is made. */
  connect_url?: string;
};

/** moto's server. */
export function motoCommand({ python, port, endpointPort, standIns, waitsDividedBy }: MotoOptions): Command {
  const script = fileURLToPath(new URL('./moto_server.py', import.meta.url));
  const waits = waitsDividedBy === undefined ? [] : ['--waits-divided-by', String(waitsDividedBy)];
  return {
    command: python,
    args: [script, '-p', String(port), ...(standIns ? ['--stacks'] : []), ...waits],
    env: {
      MOTO_PORT: String(endpointPort),
      PYTHONUNBUFFERED: '1',
      ...(standIns ? { CDC_STAND_INS: JSON.stringify(standIns) } : {}),
    },
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
