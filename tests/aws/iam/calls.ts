import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';

/** A call of an AWS service in the code of a function. */
export type Call = {
  /** As the SDK writes it: `s3:ListObjectsV2`. */
  operation: string;
  /** `functions/preflight/anything-new.ts:31` */
  where: string;
};

/** How IAM calls the service of a client, where it is not the client's own name without hyphens. */
const SERVICES: Readonly<Record<string, string>> = {
  'cloudwatch-logs': 'logs',
  eventbridge: 'events',
  'secrets-manager': 'secretsmanager',
  sfn: 'states',
};

/**
 * Every AWS call that can be reached from a handler's file through relative imports: `new <Operation>Command(...)`,
 * `paginate<Operation>(...)` and `waitUntil...`, whose names come from an AWS client. Comparing an error with a class
 * that says "there is no such object" counts as well, as the operation `NoSuchKey`.
 * @throws Error for a client that is imported as a whole, whose calls can't be seen
 */
export function callsOf(root: string, handler: string): Call[] {
  const seen = new Set<string>();
  const open = [handler];
  const calls: Call[] = [];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    const source = ts.createSourceFile(
      file,
      readFileSync(join(root, file), 'utf8'),
      ts.ScriptTarget.ESNext,
      true,
    );
    open.push(...importedFiles(root, source));
    calls.push(...callsIn(source));
  }
  return calls;
}

function importedFiles(root: string, source: ts.SourceFile): string[] {
  return moduleNames(source)
    .filter((name) => name.startsWith('.'))
    .map((name) => join(dirname(source.fileName), name))
    .filter((file) => file.endsWith('.ts') && existsSync(join(root, file)));
}

function moduleNames(source: ts.SourceFile): string[] {
  return source.statements.flatMap((statement) => {
    const named =
      (ts.isImportDeclaration(statement) && !isTypeOnly(statement)) || ts.isExportDeclaration(statement);
    const specifier = named ? statement.moduleSpecifier : undefined;
    return specifier && ts.isStringLiteral(specifier) ? [specifier.text] : [];
  });
}

function isTypeOnly({ importClause }: ts.ImportDeclaration): boolean {
  return importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
}

function callsIn(source: ts.SourceFile): Call[] {
  const calls: Call[] = [];
  for (const statement of source.statements) {
    const service = ts.isImportDeclaration(statement) ? clientService(statement) : undefined;
    if (!ts.isImportDeclaration(statement) || service === undefined || isTypeOnly(statement)) continue;
    const bindings = statement.importClause?.namedBindings;
    if (!bindings || !ts.isNamedImports(bindings)) {
      throw new Error(
        `${source.fileName} imports all of ${service}: name what is used, so that it can be checked`,
      );
    }
    for (const { isTypeOnly: typeOnly, name, propertyName } of bindings.elements) {
      const operation = typeOnly ? undefined : operationOf((propertyName ?? name).text);
      if (operation !== undefined) calls.push(...usesOf(source, name.text, `${service}:${operation}`));
    }
  }
  return calls;
}

function clientService({ moduleSpecifier }: ts.ImportDeclaration): string | undefined {
  const [, client] = (ts.isStringLiteral(moduleSpecifier) ? moduleSpecifier.text : '').match(
    /^@aws-sdk\/client-(.+)$/,
  ) ?? [undefined, undefined];
  return client === undefined ? undefined : (SERVICES[client] ?? client.replaceAll('-', ''));
}

/** `ListObjectsV2Command` and `paginateListObjectsV2` -> `ListObjectsV2`; undefined for clients, types and constants. */
function operationOf(name: string): string | undefined {
  const [, command, paginated] = name.match(/^(?:([A-Z]\w*)Command|paginate([A-Z]\w*))$/) ?? [];
  return command ?? paginated ?? (/^(NoSuchKey|NotFound)$/.test(name) ? 'NoSuchKey' : undefined);
}

function usesOf(source: ts.SourceFile, name: string, operation: string): Call[] {
  const uses: Call[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && node.text === name && !ts.isImportSpecifier(node.parent)) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      uses.push({ operation, where: `${source.fileName}:${line + 1}` });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return uses;
}
