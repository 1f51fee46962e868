/** Faults of the lexer, the brackets and the parser as diagnostics, in words; of those that follow from one another the first is kept. */
import { EOF, tokenMatcher } from 'chevrotain';
import type { ILexingError, IRecognitionException, IToken } from 'chevrotain';
import { tokenSpan } from '../build/build.ts';
import { report } from '../diagnostics.ts';
import type { Diagnostic } from '../diagnostics.ts';
import type { Span } from '../generated/tree.ts';
import { nearest } from '../../plan/nearest.ts';
import { LIMITS } from '../limits.ts';
import * as t from '../tokens.ts';
import type { Balanced } from './balance.ts';
import { meantBy } from './confusable.ts';
import type { ListSlip } from './expressions.ts';
import { describeToken, either } from './messages.ts';

/** What the lexer could not read. Runs of stray characters are one diagnostic. */
export function lexicalFaults(errors: readonly ILexingError[], tokens: readonly IToken[], text: string, file: string): Diagnostic[] {
  const stray = errors.map(({ offset, length, line, column }) => {
    const characters = text.slice(offset, offset + length);
    const at = { line: line ?? 1, column: column ?? 1 };
    const span: Span = { file, start: offset, end: offset + length, ...at, endLine: at.line, endColumn: at.column + length };
    return report('P0109', { characters, meant: meantBy(characters[0]) }, span);
  });
  const open = tokens.filter((token) => token.tokenType === t.OpenString).map((token) => report('P0108', {}, tokenSpan(file, token)));
  const long = tokens.filter((token) => tokenMatcher(token, t.StringToken) && token.image.length > LIMITS.string.most);
  const where = 'this string is too long';
  return [
    ...stray,
    ...open,
    ...long.map((token) => report('P0701', { limit: 'string', found: token.image.length, where }, tokenSpan(file, token))),
  ];
}

/** Brackets without a partner. A bracket that an unclosed string swallowed is not told: the string is. */
export function bracketFaults({ faults }: Balanced, tokens: readonly IToken[], file: string): Diagnostic[] {
  const swallowed = new Set(tokens.filter((token) => token.tokenType === t.OpenString).map((token) => token.startLine));
  return faults.flatMap(({ kind, token, line, instead }) => {
    const span = tokenSpan(file, token);
    if (kind === 'stray') return [report('P0104', { mark: token.image }, span)];
    if (swallowed.has(token.startLine)) return [];
    const close = token.image === '{' ? '}' : token.image === '(' ? ')' : ']';
    return [report('P0102', { mark: token.image, close, opened: span.line, before: line, instead: instead?.image }, span)];
  });
}

/** What the parser did not expect: a token, what should have stood there, and the rule that was being read. */
interface Unexpected {
  token: IToken;
  expected: string;
  rule: string;
}

/** Faults of the parser, in the order of the text. Lines in `lexical` have been told of already. */
export function syntaxFaults(
  errors: readonly IRecognitionException[],
  slips: readonly ListSlip[],
  { tokens, added, faults }: Balanced,
  file: string,
  lexical: ReadonlySet<number>,
): Diagnostic[] {
  const told = new Set([...faults.map((fault) => fault.token.startLine), ...lexical]);
  const places = new Map(tokens.map((token, i) => [token, i]));
  const all: Unexpected[] = [
    ...errors.map(({ token, message, context }) => ({ token, expected: message, rule: context.ruleStack[context.ruleStack.length - 1] })),
    ...slips.map(({ token, close, rule }) => ({ token, expected: either(['`,`', describeToken(close)]), rule })),
  ];
  const out: Diagnostic[] = [];
  for (const fault of all.sort((a, b) => (places.get(a.token) ?? tokens.length) - (places.get(b.token) ?? tokens.length))) {
    const { token, expected } = fault;
    // a mark that was put in is told by its bracket; further faults of a line mostly follow from its first
    if (added.has(token)) continue;
    const at = places.get(token) ?? tokens.length;
    const before = tokens.slice(Math.max(0, at - 2), at);
    const lacks = !/^a (statement|field|declaration)/.test(expected) && before.at(-1)?.endLine !== token.startLine;
    // what a line lacks is shown at its end, not at the line after it
    const span = at === tokens.length || lacks ? endSpan(file, before.at(-1)) : tokenSpan(file, token);
    if (told.has(span.line)) continue;
    told.add(span.line);
    out.push(explain(fault, before, tokens[at + 1], span));
  }
  return out;
}

function endSpan(file: string, last: IToken | undefined): Span {
  if (!last) return { file, start: 0, end: 0, line: 1, column: 1, endLine: 1, endColumn: 1 };
  const { end, endLine, endColumn } = tokenSpan(file, last);
  return { file, start: end, end, line: endLine, column: endColumn, endLine, endColumn };
}

/** `before`: the two tokens before the unexpected one, as far as there are. */
function explain({ token, expected, rule }: Unexpected, before: readonly IToken[], next: IToken | undefined, span: Span): Diagnostic {
  const previous = before[before.length - 1];
  if (expected === 'a declaration' && token.tokenType === t.Pivot) return report('P0107', {}, span);
  if (expected === 'a declaration' && isName(token)) {
    return report(
      'P0103',
      { word: token.image, nearest: aliases.get(token.image) ?? nearest(token.image, t.declarationKeywords.map(wordOf)) },
      span,
    );
  }
  const found = token.tokenType === EOF ? 'the end of the text' : `\`${token.image}\``;
  return report('P0101', { expected, found, after: lastWords(before), help: advice(rule, expected, token, previous, next) }, span);
}

function wordOf(type: { PATTERN?: unknown }): string {
  return typeof type.PATTERN === 'string' ? type.PATTERN : '';
}

/** What writers of other languages say. */
const aliases: ReadonlyMap<string, string> = new Map([
  ['import', 'use'],
  ['include', 'use'],
  ['function', 'layer'],
  ['def', 'layer'],
  ['fn', 'layer'],
  ['struct', 'record'],
  ['const', 'param'],
  ['let', 'param'],
  ['dataset', 'data'],
  ['vision', 'encoder'],
]);

/** The words before a fault: `` `lr:` ``, `` `pairs =` ``, `` `steps` ``. */
function lastWords(before: readonly IToken[]): string {
  const [second, last] = before.length > 1 ? before.slice(-2) : [undefined, before[0]];
  if (!last) return '';
  const names = second !== undefined && isName(second);
  if (names && last.tokenType === t.Colon) return `\`${second.image}:\``;
  if (names && last.tokenType === t.Equal) return `\`${second.image} =\``;
  return `\`${last.image}\``;
}

/** How to mend what is often written. */
function advice(rule: string, expected: string, token: IToken, previous: IToken | undefined, next: IToken | undefined): string | undefined {
  const type = token.tokenType;
  const name = previous?.image ?? 'name';
  const afterName = previous !== undefined && isName(previous);
  if (type === t.Star && previous?.tokenType === t.Star) return 'a power is written `a ^ b`';
  if (expected.startsWith('a statement')) return statementAdvice(token, next);
  if (expected.startsWith('a field') && (type === t.Equal || type === t.Colon)) {
    return `a field is a name and a value, with nothing between: write \`${name} ${next ? next.image : '...'}\``;
  }
  if (rule === 'call' && afterName && type === t.Equal)
    return `an argument is named by a colon: write \`${name}: ${next ? next.image : '...'}\``;
  if (rule === 'call' && afterName && startsValue(token))
    return `write \`${name}: ${token.image}\` for a named argument, or a comma between two`;
  if (rule === 'index' && afterName && startsValue(token)) return `write \`${name}: ${token.image}\` to select by name`;
  if (rule === 'definition' && afterName && isName(token)) return `a type follows a colon: write \`${name}: ${token.image}\``;
  if (rule === 'group' && type === t.Comma) return 'a list stands in square brackets';
  if (expected === '`,` or `]`' || expected === '`,` or `}`')
    return startsValue(token) ? `is a comma missing after \`${name}\`?` : undefined;
  return t.reservedWords.includes(type) ? `${describeToken(type)} is a word of the language and cannot stand here` : undefined;
}

function statementAdvice(token: IToken, next: IToken | undefined): string {
  const near = nearest(token.image, t.statementKeywords.map(wordOf));
  if (near && next && isName(next)) return `did you mean \`${near}\`?`;
  if (next?.tokenType === t.LeftParen) return 'a body has no bare calls: name the result by `let`, or `return` it';
  return 'a statement begins with let, part, weight, repeat, if, return, ... or assigns to a name';
}

function isName(token: IToken): boolean {
  return tokenMatcher(token, t.Identifier);
}

function startsValue(token: IToken): boolean {
  return isName(token) || tokenMatcher(token, t.NumberToken) || tokenMatcher(token, t.StringToken);
}
