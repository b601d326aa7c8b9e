import { logicalId } from './logical-id.ts';
import { PackagingError } from './packaging-error.ts';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
export const MAX_RESOURCES = 500;
/** Bytes of a template that lies in S3; the same page. */
export const MAX_TEMPLATE_BYTES = 1_000_000;

/** What a table has of its own: its logical ids begin with these. */
export const TABLE_RESOURCES = ['Topic', 'Stream', 'Pipe'];

/**
 * Refuses a template that CloudFormation would refuse, before anything is uploaded.
 * @param tables ids of the captured tables
 * @throws PackagingError that says how many tables fit, and what to do with the others
 */
export function checkStackSize(
  template: { Resources: Record<string, unknown> },
  tables: readonly string[],
): void {
  const resources = Object.keys(template.Resources).length;
  const bytes = Buffer.byteLength(JSON.stringify(template));
  if (resources <= MAX_RESOURCES && bytes <= MAX_TEMPLATE_BYTES) return;
  const fit = Math.min(
    tablesThatFit(resources, ofTables(template, tables).length, MAX_RESOURCES, tables.length),
    tablesThatFit(bytes, bytesOf(template, tables), MAX_TEMPLATE_BYTES, tables.length),
  );
  throw new PackagingError(
    `The stack would have ${resources} resources and a template of ${bytes} bytes; CloudFormation takes ` +
      `${MAX_RESOURCES} and ${MAX_TEMPLATE_BYTES}. tables.yml lists ${tables.length} tables, at least ${fit} fit. ` +
      `Move the others into a second project: a checkout of its own, whose tables.yml has another \`project\` name ` +
      `(docs/decisions/048-what-a-table-costs-the-stack.md)`,
  );
}

/** The logical ids that tables have of their own. */
export function ofTables(
  template: { Resources: Record<string, unknown> },
  tables: readonly string[],
): string[] {
  return tables
    .flatMap((table) => TABLE_RESOURCES.map((kind) => logicalId(kind, table)))
    .filter((id) => id in template.Resources);
}

function bytesOf(template: { Resources: Record<string, unknown> }, tables: readonly string[]): number {
  const own = ofTables(template, tables).map((id) => [id, template.Resources[id]]);
  return Buffer.byteLength(JSON.stringify(Object.fromEntries(own)));
}

/** How many tables fit when `own` of `used` are those of `tables` tables, and the rest, which grows with them too, stays. */
function tablesThatFit(used: number, own: number, limit: number, tables: number): number {
  return Math.max(0, Math.floor((limit - (used - own)) / (own / tables)));
}
