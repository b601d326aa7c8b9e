/** Where a member's value stands in the text: `text.slice(start, end)`. */
export type Span = { start: number; end: number };

/**
 * Finds the values of an object's members without changing a character of them. Of a repeated member the last one
 * counts, as with `JSON.parse`.
 * @param text a JSON object that `JSON.parse` has accepted
 */
export function memberSpans(text: string): Map<string, Span> {
  const spans = new Map<string, Span>();
  let at = skipSpace(text, skipSpace(text, 0) + 1);
  while (text[at] === '"') {
    const keyEnd = stringEnd(text, at);
    const key = JSON.parse(text.slice(at, keyEnd)) as string;
    const start = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const end = valueEnd(text, start);
    spans.set(key, { start, end });
    const separator = skipSpace(text, end);
    at = text[separator] === ',' ? skipSpace(text, separator + 1) : separator;
  }
  return spans;
}

/**
 * Parses JSON with every number as its text, so that none is rounded.
 * @throws SyntaxError when the text is not JSON
 */
export function parseExactly(text: string): unknown {
  const reviver = (_key: string, value: unknown, context: { source?: string }) =>
    typeof value === 'number' ? context.source : value;
  return JSON.parse(text, reviver as (key: string, value: unknown) => unknown);
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at++;
  return at;
}

/** Index behind the closing quote of the string that opens at `open`. */
function stringEnd(text: string, open: number): number {
  let close = text.indexOf('"', open + 1);
  while (isEscaped(text, close)) close = text.indexOf('"', close + 1);
  return close + 1;
}

function isEscaped(text: string, quote: number): boolean {
  let backslashes = 0;
  while (text[quote - 1 - backslashes] === '\\') backslashes++;
  return backslashes % 2 === 1;
}

function valueEnd(text: string, start: number): number {
  if (text[start] === '"') return stringEnd(text, start);
  if (text[start] === '{' || text[start] === '[') return containerEnd(text, start);
  let at = start;
  while (at < text.length && !',]} \n\r\t'.includes(text[at] as string)) at++;
  return at;
}

function containerEnd(text: string, start: number): number {
  let depth = 0;
  let at = start;
  do {
    const character = text[at];
    if (character === '"') {
      at = stringEnd(text, at);
      continue;
    }
    if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') depth--;
    at++;
  } while (depth > 0);
  return at;
}
