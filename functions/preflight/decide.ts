import type { Deployment } from '../cdc/names.ts';
import type { News } from './anything-new.ts';
import { refusalOf, rememberedIdentity, type SourceIdentity, type SourceNow } from './source-identity.ts';
import type { Warning } from './warnings.ts';

/** What preflight keeps from run to run, under `SOURCE_KEY`. `gold_current_at`: goldCurrentAt of gold-freshness.ts. */
export type SourceMemory = { identity: SourceIdentity; warned: string[]; gold_current_at?: string };

/** Everything that was looked at. */
export type Findings = {
  place: Deployment;
  epoch: number;
  last: SourceMemory | undefined;
  source: SourceNow;
  news: News;
  warnings: Warning[];
  /** The execution's input asks for a run whether there is news or not. */
  forced: boolean;
};

/**
 * The answer to the state machine. `refuse` says why the run must not go on. `go`: there is something to do. `alert`:
 * what to tell people when there is a warning that the last run didn't have; told once, not at every run.
 */
export type Decision = {
  go: boolean;
  refuse: string | null;
  reason: string;
  warnings: Warning[];
  alert: { subject: string; message: string } | null;
  source: SourceIdentity;
};

/** The decision, and what to keep for the next run. A refused source is not remembered, so it stays refused. */
export function decide(findings: Findings): { decision: Decision; memory: SourceMemory } {
  const { place, epoch, last, source, news, warnings, forced } = findings;
  const refuse = refusalOf(last?.identity, source, epoch);
  const identity =
    refuse !== null && last ? last.identity : rememberedIdentity(last?.identity, source, epoch);
  const codes = [...new Set(warnings.map(({ code }) => code))].sort();
  const isNew = codes.some((code) => !last?.warned.includes(code));
  const decision = {
    go: refuse === null && (forced || news.kind !== 'nothing'),
    refuse,
    reason: refuse ?? (forced ? 'the run was asked for' : news.reason),
    warnings,
    alert: isNew && refuse === null ? alertOf(place, warnings, news) : null,
    source: identity,
  };
  return { decision, memory: { identity, warned: codes } };
}

function alertOf({ project, stage }: Deployment, warnings: readonly Warning[], news: News) {
  const messages = warnings.map(({ code, message }) => `- ${code}: ${message}`);
  const run =
    news.kind === 'nothing' ? 'There is nothing new to process.' : 'The run goes on with what has landed.';
  return {
    subject: `${project} ${stage}: the path before the landing zone needs a look`,
    message: [...messages, '', run].join('\n'),
  };
}
