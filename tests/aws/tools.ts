import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { execa } from 'execa';
import { CHECKOV_PYTHON, PYTHON } from '../../local/setup/python.ts';
import type { Finding } from './template.ts';

const TOOL_WITHIN_MS = 400_000;
const CHECKOV_CONFIG = join(import.meta.dirname, 'checkov.yml');

/**
 * I3011 asks for a DeletionPolicy on everything that keeps something, log groups too: the rule `kept` says what stays.
 * I1022 is about how osls writes its own bucket policy.
 */
const IGNORED = ['I3011', 'I1022'];

/** Everything that cfn-lint says of a template, at any level. @throws Error when it breaks before it says anything */
export async function cfnLint(file: string): Promise<Finding[]> {
  const { stdout, stderr } = await execa(
    join(dirname(PYTHON), 'cfn-lint'),
    ['--format', 'json', '--include-checks', 'I', '--ignore-checks', ...IGNORED, '--', file],
    { reject: false, timeout: TOOL_WITHIN_MS },
  );
  const found = parsed(stdout) as CfnLintMatch[] | undefined;
  if (!found) throw new Error(`cfn-lint could not read ${basename(file)}:\n${stdout}\n${stderr}`);
  return found.map(({ Rule, Location, Message }) => ({
    rule: Rule.Id,
    where: (Location.Path ?? []).join('.'),
    what: Message,
    remedy: Rule.Source,
  }));
}

type CfnLintMatch = {
  Rule: { Id: string; Source: string };
  Location: { Path?: (string | number)[] };
  Message: string;
};

export type CheckovReport = {
  findings: Finding[];
  passed: number;
  suppressed: { rule: string; where: string; reason: string }[];
};

/**
 * What checkov says of a template; nothing is downloaded. Suppressions stand beside their resources
 * (`Metadata.checkov.skip`, with a comment) or, where a check is refused for the whole project, in checkov.yml.
 * @throws Error when it breaks before it says anything
 */
export async function checkov(file: string): Promise<CheckovReport> {
  const { stdout, stderr } = await execa(
    CHECKOV_PYTHON,
    [
      '-m',
      'checkov.main',
      '--file',
      file,
      '--framework',
      'cloudformation',
      '--config-file',
      CHECKOV_CONFIG,
      '--output',
      'json',
      '--skip-download',
    ],
    { reject: false, timeout: TOOL_WITHIN_MS, env: { LOG_LEVEL: 'ERROR' } },
  );
  const report = parsed(stdout) as CheckovOutput | undefined;
  if (!report?.results) throw new Error(`checkov could not read ${basename(file)}:\n${stdout}\n${stderr}`);
  const { failed_checks: failed, skipped_checks: skipped = [] } = report.results;
  return {
    findings: failed.map(({ check_id: rule, resource, check_name: what, guideline }) => ({
      rule,
      where: resource,
      what,
      remedy: guideline ?? `https://www.checkov.io/5.Policy%20Index/cloudformation.html, ${rule}`,
    })),
    passed: report.summary.passed,
    suppressed: skipped.map(({ check_id: rule, resource: where, check_result }) => ({
      rule,
      where,
      reason: check_result.suppress_comment ?? '',
    })),
  };
}

type CheckovCheck = { check_id: string; resource: string; check_name: string; guideline: string | null };
type CheckovOutput = {
  results: {
    failed_checks: CheckovCheck[];
    skipped_checks?: (CheckovCheck & { check_result: { suppress_comment?: string } })[];
  };
  summary: { passed: number };
};

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The checks that checkov.yml leaves out, each with the comment above it. */
export function leftOut(): { rule: string; reason: string }[] {
  const lines = readFileSync(CHECKOV_CONFIG, 'utf8').split('\n');
  return lines.flatMap((line, index) => {
    const rule = line.match(/^\s*- (CKV\w+)/)?.[1];
    return rule === undefined ? [] : [{ rule, reason: lines[index - 1]?.match(/^\s*# (.+)/)?.[1] ?? '' }];
  });
}
