/** A twin's owner in a process of its own, to be killed: starts the stack of argv[2], captures, says so, and waits. */
import { capture, createSource, startStack } from './stack.ts';

const stack = await startStack(process.argv[2] as string, { orphan: () => {}, event: () => {} });
await createSource(stack.postgres.admin);
process.stdout.write(`${await capture(stack)}, then ${await capture(stack)}\n`);
setInterval(() => {}, 1_000);
