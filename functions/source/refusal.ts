import type { SourcePreparation } from './source.ts';

/** Why the source can't be captured, and what to do; null when it can. Without the script, which holds a verifier. */
export function refusalOf({ ok, findings, script }: SourcePreparation): string | null {
  if (ok) return null;
  const refusing = findings.filter(({ severity }) => severity === 'refuse');
  const owner =
    script === null
      ? []
      : [
          'The given user may not prepare the source. Invoke the function with {"action":"prepare"}, have the owner of the database run the script that it answers, and deploy again.',
        ];
  return [...owner, ...refusing.map(({ message, remedy }) => `${message} ${remedy}.`)].join(' ');
}

/** Why nothing, or not all, was taken away; null when all is. */
export function removalRefusal({ script }: Pick<SourcePreparation, 'script'>): string | null {
  if (script === null) return null;
  return 'The given user may not take everything away. Invoke the function with {"action":"remove"}, have the owner of the database run the script that it answers, and try again.';
}
