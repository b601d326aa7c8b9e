import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Package managers say much; this is far more than any says in a quiet mode. */
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;
const SHOWN_LINES = 25;

/** Runs a program to its end. @throws Error with `problem`, the command and the end of what it said */
export async function runStep(command: string, args: readonly string[], problem: string): Promise<void> {
  try {
    await promisify(execFile)(command, args, { maxBuffer: MAX_OUTPUT_BYTES });
  } catch (error) {
    const {
      stdout = '',
      stderr = '',
      message,
    } = error as { stdout?: string; stderr?: string; message: string };
    const said = `${stdout}${stderr}`.trim() || message;
    const end = said.split('\n').slice(-SHOWN_LINES).join('\n');
    throw new Error(`${problem} "${[command, ...args].join(' ')}" ended with:\n${end}`, { cause: error });
  }
}
