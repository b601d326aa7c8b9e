#!/usr/bin/env node
// Starts the command line under the Node.js that the project installs, whatever version runs this file.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..');
const node = path.join(root, 'node_modules', '.bin', 'node');
if (!existsSync(node)) {
  console.error(
    'cdc is not set up yet: run `sh setup.sh` in the project first (`npm start` does it by itself).',
  );
  process.exit(1);
}
const main = path.join(root, 'local', 'cli', 'main.ts');
const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: 'inherit' });
// The child stops what it started before it ends; this process must outlast it. A terminal tells both of Ctrl-C.
process.on('SIGINT', () => {});
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  console.error(`cdc could not start ${node}: ${error.message}. Run \`npm ci\` in the project.`);
  process.exit(1);
});
child.on('exit', (code, signal) => process.exit(code ?? 128 + os.constants.signals[signal]));
