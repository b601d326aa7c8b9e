import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { WORLD_OPTIONS } from '../../../../local/cli/context.ts';
import { buildProgram } from '../../../../local/cli/program.ts';

const README = readFileSync(path.join(import.meta.dirname, '../../../../README.md'), 'utf8');

/** One row of README's table of commands, as the program itself describes them. */
function readmeRows(): string[] {
  return buildProgram().commands.map((command) => {
    const args = command.registeredArguments.map((argument) => ` <${argument.name()}>`).join('');
    const options = command.options
      .filter((option) => !WORLD_OPTIONS.includes(option.long ?? ''))
      .map((option) => ` [${option.flags.replace(/^-\w, /, '')}]`)
      .join('');
    return `| \`${command.name()}${args}${options}\` | ${command.description()} |`;
  });
}

describe("README's table of commands", () => {
  it.each(readmeRows().map((row) => [row]))('has %s', (row) => {
    expect(README).toContain(row);
  });
});
