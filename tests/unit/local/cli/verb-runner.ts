/**
 * Runs verbs in a process of its own, one after the other, as messages ask for them: what Node.js throws in jest's own
 * realm is no Error there.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { outcomeOf } from '../../../../local/cli/outcome.ts';
import { buildProgram } from '../../../../local/cli/program.ts';

type Asked = { args: readonly string[]; env: Readonly<Record<string, string>> };

/** `said`: what is left to say of an error, or commander's complaint; `printed`: all else that went to stdout. */
export type Ended = { printed: string; said: string; exitCode: number };

export type VerbRunner = { run(asked: Asked): Promise<Ended>; close(): void };

export function startVerbRunner(): VerbRunner {
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), { silent: true });
  return {
    async run(asked) {
      const answered = once(child, 'message') as Promise<[Ended]>;
      child.send(asked);
      return (await answered)[0];
    },
    close: () => void child.kill('SIGKILL'),
  };
}

async function end({ args, env }: Asked): Promise<Ended> {
  const lines = { log: [] as string[], error: [] as string[] };
  console.log = (text: unknown) => void lines.log.push(String(text));
  console.error = (text: unknown) => void lines.error.push(String(text));
  // Nobody's own credentials, proxies and profiles.
  for (const name of Object.keys(process.env))
    if (/^AWS_|^CDC_|_proxy$/i.test(name)) delete process.env[name];
  Object.assign(process.env, env);
  const program = buildProgram();
  for (const command of [program, ...program.commands]) {
    command.configureOutput({ writeErr: (text) => void lines.error.push(text), writeOut: () => {} });
  }
  process.exitCode = undefined;
  const printed = () => lines.log.join('\n');
  try {
    await program.parseAsync(args as string[], { from: 'user' });
    return { printed: printed(), said: '', exitCode: Number(process.exitCode ?? 0) };
  } catch (error) {
    const { message, exitCode } = outcomeOf(error);
    return { printed: printed(), said: message ?? lines.error.join(''), exitCode };
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.on('message', async (asked: Asked) => process.send?.(await end(asked)));
}
