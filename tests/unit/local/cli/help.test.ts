import { describe, expect, it } from '@jest/globals';
import type { Command } from 'commander';
import { WORLD_OPTIONS } from '../../../../local/cli/context.ts';
import { buildProgram } from '../../../../local/cli/program.ts';

/** What a stage can do as well as the twin. */
const IN_BOTH_WORLDS = ['doctor', 'run', 'status', 'query', 'events', 'connectors', 'backfill', 'maintain'];

const WIDTH = 80;
const program = buildProgram();
const { commands } = program;

/** With what is added below the options. */
function wholeHelp(command: Command): string {
  const parts: string[] = [];
  command.configureOutput({ writeOut: (part) => void parts.push(part), getOutHelpWidth: () => WIDTH });
  command.outputHelp();
  return parts.join('');
}

describe('--help', () => {
  it.each(commands.map((command) => [command.name(), command] as const))(
    'of %s says what it does and takes',
    (name, command) => {
      const help = command.helpInformation();
      expect(help).toContain(`Usage: cdc ${name}`);
      for (const option of command.options) expect(help).toContain(option.long);
      expect(command.description()).not.toBe('');
    },
  );

  it.each([program, ...commands].map((command) => [command.name(), command] as const))(
    'of %s fits a terminal of 80 columns',
    (_, command) => {
      const lines = wholeHelp(command).split('\n');
      expect(lines.filter((line) => line.length > WIDTH)).toEqual([]);
    },
  );
});

describe('a verb of both worlds', () => {
  it.each(IN_BOTH_WORLDS)('%s takes a stage with its region, or a state folder', (name) => {
    const options = commands.find((command) => command.name() === name)?.options.map(({ long }) => long);
    expect(options).toEqual(expect.arrayContaining(WORLD_OPTIONS));
  });
});
