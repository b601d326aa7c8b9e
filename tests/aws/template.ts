/** A packaged CloudFormation template, as `sls package` writes it. */
export type Template = {
  Resources: Record<string, Resource>;
  Parameters?: Record<string, unknown>;
  Outputs?: Record<string, unknown>;
};

export type Resource = {
  Type: string;
  Properties?: Properties;
  DependsOn?: string | string[];
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
  Metadata?: Record<string, unknown>;
};

/** A resource's properties; their shapes are cfn-lint's business, so rules read what they look for and no more. */
// biome-ignore lint/suspicious/noExplicitAny: thousands of shapes, checked by cfn-lint against AWS's own schemas
export type Properties = Record<string, any>;

/** One mistake, in the words of somebody who is to fix it. */
export type Finding = {
  /** The rule's name. */
  rule: string;
  /** Logical id of the resource, with the property where that helps: `KafkaCluster.KafkaVersion`. */
  where: string;
  what: string;
  remedy: string;
};

/** A mistake that cfn-lint does not see, found in a whole template. */
export type Rule = {
  name: string;
  check(template: Template): Finding[];
};

/** What a rule says of one place; {@link rule} adds the rule's name. */
export type Problem = Omit<Finding, 'rule'>;

/** A rule from a function that finds problems. */
export function rule(name: string, check: (template: Template) => Problem[]): Rule {
  return {
    name,
    check: (template) => check(template).map((problem) => ({ rule: name, ...problem })),
  };
}

/** A rule that looks at each resource of a type by itself. */
export function ruleFor(
  name: string,
  type: string,
  check: (properties: Properties, id: string, template: Template) => Omit<Problem, 'where'>[],
): Rule {
  return rule(name, (template) =>
    ofType(template, type).flatMap(([id, properties]) =>
      check(properties, id, template).map((problem) => ({ where: id, ...problem })),
    ),
  );
}

/** Logical id and properties of every resource of a type. */
export function ofType(template: Template, type: string): [id: string, properties: Properties][] {
  return Object.entries(template.Resources)
    .filter(([, resource]) => resource.Type === type)
    .map(([id, resource]) => [id, resource.Properties ?? {}]);
}

/** Logical ids that a resource waits for by `DependsOn`. */
export function dependenciesOf({ DependsOn }: Resource): string[] {
  return DependsOn === undefined ? [] : [DependsOn].flat();
}

/** Every value in a tree, with its path of property names and indexes. */
export function* valuesIn(
  value: unknown,
  path: readonly string[] = [],
): Generator<{ path: readonly string[]; value: unknown }> {
  yield { path, value };
  if (typeof value !== 'object' || value === null) return;
  for (const [name, item] of Object.entries(value)) yield* valuesIn(item, [...path, name]);
}

/** Whether a value is one call of CloudFormation's functions, `{"Ref": ...}` or `{"Fn::...": ...}`. */
export function isIntrinsic(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const names = Object.keys(value);
  return names.length === 1 && /^(Ref|Fn::.+)$/.test(names[0] ?? '');
}
