#!/usr/bin/env node
// Starts the command line under the Node.js that the project installs, whatever version runs this file.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..');
const node = path.join(root, 'node_modules', '.bin', 'node');
if (!existsSync(node)) {
  console.error('cdc is not set up yet: run `npm start` in the project first.');
  process.exit(1);
}
const { status, signal } = spawnSync(
  node,
  [path.join(root, 'local', 'cli', 'main.ts'), ...process.argv.slice(2)],
  {
    stdio: 'inherit',
  },
);
process.exit(signal ? 1 : (status ?? 1));
