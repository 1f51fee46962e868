/**
 * From a text to its syntax tree: lexer, brackets, parser, builders. A bad text is no exception: there is always a tree, perhaps with
 * `Missing` in it, and diagnostics beside it, in the order of the text. Names, types and the meaning of fields are the compiler's.
 */
import type { CstNode, ILexingError } from 'chevrotain';
import { Build, tokenSpan } from './build/build.ts';
import { attachDocs } from './build/docs.ts';
import { buildExpression } from './build/expressions.ts';
import { report } from './diagnostics.ts';
import type { Diagnostic } from './diagnostics.ts';
import { buildFile } from './generated/build.ts';
import type { ExpressionCstNode, FileCstNode } from './generated/cst.ts';
import type { Expression, File, Node, Span } from './generated/tree.ts';
import { balance } from './parser/balance.ts';
import { replaceConfusable } from './parser/confusable.ts';
import { bracketFaults, lexicalFaults, syntaxFaults } from './parser/diagnose.ts';
import { TooDeep } from './parser/expressions.ts';
import { parser } from './parser/parser.ts';
import { LIMITS } from './limits.ts';
import { lexer, Pivot } from './tokens.ts';
import { beyond } from './walk.ts';

/** The version of the language that this program reads. */
export const languageVersion = 1;

/** Parses a text; `file` is its name in spans. */
export function parse(text: string, file: string): { tree: File; diagnostics: Diagnostic[] } {
  const span = wholeSpan(file, text);
  if (text.length > LIMITS.text.most) {
    const where = `\`${file}\` cannot be read`;
    const diagnostics = [report('P0701', { limit: 'text', found: text.length, where }, firstSpan(file, text))];
    return { tree: { kind: 'File', span, docs: '', declarations: [] }, diagnostics };
  }
  const { cst, build, diagnostics, tokens } = read(text, file, () => parser.file());
  const built = isFile(cst) ? buildFile(build, cst) : emptyFile(build);
  const version =
    tokens[0]?.tokenType === Pivot ? checkVersion(built) : [report('P0105', { version: languageVersion }, firstSpan(file, text))];
  const deep = tooDeep(built);
  const tree = { ...built, span, declarations: built.declarations.filter((declaration) => !deep.has(declaration)) };
  return { tree, diagnostics: inOrder([...version, ...diagnostics, ...build.diagnostics, ...deep.values()]) };
}

/** Parses one expression, as the command line takes it (`--set pairs=2k`); what follows it is a fault. */
export function parseExpression(text: string, file: string): { tree: Expression; diagnostics: Diagnostic[] } {
  if (text.length > LIMITS.string.most) {
    const where = 'this value cannot be read';
    const diagnostics = [report('P0701', { limit: 'string', found: text.length, where }, firstSpan(file, text))];
    return { tree: { kind: 'Missing', span: firstSpan(file, text) }, diagnostics };
  }
  const { cst, build, diagnostics } = read(text, file, () => parser.expression());
  const tree: Expression = isExpression(cst) ? buildExpression(build, cst) : { kind: 'Missing', span: build.missing() };
  return { tree, diagnostics: inOrder([...diagnostics, ...build.diagnostics]) };
}

function read(text: string, file: string, rule: () => CstNode | undefined) {
  const { tokens, groups, errors } = tokenize(text);
  const build = new Build(file, attachDocs(groups.docs, tokens));
  const lexical = lexicalFaults(errors, tokens, text, file);
  const balanced = balance(tokens);
  parser.input = balanced.tokens;
  parser.slips.length = 0;
  try {
    const cst = rule();
    const lines = new Set(lexical.map(({ span }) => span?.line ?? 0));
    const diagnostics = [
      ...lexical,
      ...bracketFaults(balanced, tokens, file),
      ...syntaxFaults(parser.errors, parser.slips, balanced, file, lines),
    ];
    return { cst, build, diagnostics, tokens };
  } catch (error) {
    if (!(error instanceof TooDeep)) throw error;
    const span = Number.isFinite(error.token.startOffset) ? tokenSpan(file, error.token) : endOf(file, text);
    const fault = report('P0701', { limit: 'nesting', where: 'this expression is nested too deeply' }, span);
    return { cst: undefined, build, diagnostics: [...lexical, fault], tokens };
  }
}

/** Tokens, and all that the lexer could not read as it stands, at its place in the text. */
function tokenize(text: string) {
  const first = lexer.tokenize(text);
  let result = first;
  let read = text;
  const errors: ILexingError[] = [];
  // a quote that is replaced begins a string, so what lies behind it is looked at again; three rounds see any such text through
  for (let round = 0; round < 3 && result.errors.length > 0; round++) {
    const mended = replaceConfusable(read, result.errors);
    if (mended === read) break;
    errors.push(...result.errors);
    read = mended;
    result = lexer.tokenize(read);
  }
  const told = new Set(errors.map(({ offset }) => offset));
  return { ...result, errors: [...errors, ...result.errors.filter(({ offset }) => !told.has(offset))] };
}

/** The declarations that are too deep for the stack of whoever walks over them, with what is told of each. */
function tooDeep(tree: File): Map<Node, Diagnostic> {
  const found = new Map<Node, Diagnostic>();
  for (const declaration of tree.declarations) {
    // each level takes a character of the text at least
    if (declaration.span.end - declaration.span.start <= LIMITS.chain.most) continue;
    const deepest = beyond(declaration, LIMITS.chain.most);
    const where = 'this expression is too long';
    if (deepest) found.set(declaration, report('P0701', { limit: 'chain', where }, deepest.span));
  }
  return found;
}

/** The parser gives nothing at all when even recovery found no way in. */
function isFile(cst: CstNode | undefined): cst is FileCstNode {
  return cst?.name === 'file';
}

function isExpression(cst: CstNode | undefined): cst is ExpressionCstNode {
  return cst?.name === 'expression';
}

function emptyFile(build: Build): File {
  return { kind: 'File', span: build.missing(), docs: '', declarations: [] };
}

function checkVersion({ version }: File): Diagnostic[] {
  if (!version || version.text === '' || version.text === String(languageVersion)) return [];
  return [report('P0106', { found: version.text, version: languageVersion }, version.span)];
}

function endOf(file: string, text: string): Span {
  const { end, endLine, endColumn } = wholeSpan(file, text);
  return { file, start: end, end, line: endLine, column: endColumn, endLine, endColumn };
}

function firstSpan(file: string, text: string): Span {
  const end = /^[^\r\n]*/.exec(text)?.[0].length ?? 0;
  return { file, start: 0, end, line: 1, column: 1, endLine: 1, endColumn: end + 1 };
}

function wholeSpan(file: string, text: string): Span {
  const lines = text.split(/\r\n|\n|\r/);
  return { file, start: 0, end: text.length, line: 1, column: 1, endLine: lines.length, endColumn: lines[lines.length - 1].length + 1 };
}

function inOrder(diagnostics: Diagnostic[]): Diagnostic[] {
  return diagnostics.sort((a, b) => (a.span?.start ?? 0) - (b.span?.start ?? 0));
}
