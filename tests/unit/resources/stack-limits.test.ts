import { describe, expect, it } from '@jest/globals';
import { logicalId } from '../../../resources/logical-id.ts';
import { checkStackSize, MAX_RESOURCES, TABLE_RESOURCES } from '../../../resources/stack-limits.ts';

const COMMON = 170;

/** A template of a platform with so many tables, each resource with a text of some length. */
function template(tables: readonly string[], text = '') {
  const common = Array.from({ length: COMMON }, (_, index) => [`Common${index}`, {}]);
  const own = tables.flatMap((table) =>
    TABLE_RESOURCES.map((kind) => [logicalId(kind, table), { Properties: { text } }]),
  );
  return { Resources: Object.fromEntries([...common, ...own]) };
}

const named = (count: number) =>
  Array.from({ length: count }, (_, index) => `public.t${'x'.repeat(index % 40)}${index}`);

describe('the size of the stack', () => {
  it('of a hundred tables is accepted', () => {
    const tables = named(100);
    expect(() => checkStackSize(template(tables), tables)).not.toThrow();
  });

  it('is refused beyond what CloudFormation takes, with how many tables fit and what to do', () => {
    const tables = named(120);
    const fit = Math.floor((MAX_RESOURCES - COMMON) / TABLE_RESOURCES.length);
    const check = () => checkStackSize(template(tables), tables);
    expect(check).toThrow('The stack would have 530 resources');
    expect(check).toThrow(`tables.yml lists 120 tables, at least ${fit} fit`);
    expect(check).toThrow('second project');
    expect(() => checkStackSize(template(tables.slice(0, fit)), tables.slice(0, fit))).not.toThrow();
    expect(() => checkStackSize(template(tables.slice(0, fit + 1)), tables.slice(0, fit + 1))).toThrow();
  });

  it('is refused in bytes, too', () => {
    const tables = named(60);
    expect(() => checkStackSize(template(tables, 'x'.repeat(6_000)), tables)).toThrow(/at least 5\d fit/);
  });
});
