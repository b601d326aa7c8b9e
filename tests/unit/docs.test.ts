import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { buildProgram } from '../../local/cli/program.ts';
import { functionAccess } from '../../resources/function-roles.ts';

const ROOT = join(import.meta.dirname, '..', '..');

const pages = [
  ...['README.md', 'CONTRIBUTING.md'].map((file) => join(ROOT, file)),
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join(ROOT, 'docs', file)),
].map((file) => ({ file, name: relative(ROOT, file), text: readFileSync(file, 'utf8') }));

describe.each(pages)('$name', ({ file, text }) => {
  it('links to what is there', () => {
    const broken = linksOf(text).filter((link) => !leadsSomewhere(file, link));
    expect(broken).toEqual([]);
  });

  it('names commands that there are', () => {
    expect(commandsOf(text).filter((command) => !isKnown(command))).toEqual([]);
  });

  it('names functions that there are', () => {
    const known = Object.keys(functionAccess('p'));
    const named = [...text.matchAll(/(?:\/aws\/lambda\/|--function-name )cdc-demo-dev-([a-z-]+)/g)].map(
      ([, name]) => name,
    );
    for (const name of named) expect(known).toContain(name);
  });
});

/** Links within the repository. */
function linksOf(text: string): string[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link]) => link as string)
    .filter((link) => !/^[a-z]+:/.test(link));
}

function leadsSomewhere(file: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? file : join(dirname(file), path);
  if (!existsSync(target)) return false;
  return anchor === undefined || anchorsOf(readFileSync(target, 'utf8')).includes(anchor);
}

/** As GitHub makes them of headings. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** `npx cdc <verb> ...` up to the end of the line or of its quotation. */
function commandsOf(text: string): string[] {
  return [...text.matchAll(/npx (?:--no-install )?cdc ([^`\n#]+)/g)].map(([, command = '']) =>
    command.trim(),
  );
}

function isKnown(command: string): boolean {
  const verb = /^[a-z]+/.exec(command)?.[0];
  // `npx cdc ...`: any of them.
  if (verb === undefined) return command.startsWith('...');
  const described = buildProgram().commands.find((one) => one.name() === verb);
  // What is quoted is SQL.
  const options = [...command.replaceAll(/"[^"]*"/g, '').matchAll(/--[a-z-]+/g)].map(([option]) => option);
  return (
    described !== undefined &&
    options.every((option) => described.options.some(({ long }) => long === option))
  );
}
