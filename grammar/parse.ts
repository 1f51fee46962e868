/**
 * From a text to its syntax tree: lexer, brackets, parser, builders. A bad text is no exception: there is always a tree, perhaps with
 * `Missing` in it, and diagnostics beside it, in the order of the text. Names, types and the meaning of fields are the compiler's.
 */
import type { CstNode } from 'chevrotain';
import { Build } from './build/build.ts';
import { attachDocs } from './build/docs.ts';
import { buildExpression } from './build/expressions.ts';
import { report } from './diagnostics.ts';
import type { Diagnostic } from './diagnostics.ts';
import { buildFile } from './generated/build.ts';
import type { ExpressionCstNode, FileCstNode } from './generated/cst.ts';
import type { Expression, File, Span } from './generated/tree.ts';
import { balance } from './parser/balance.ts';
import { bracketFaults, lexicalFaults, syntaxFaults } from './parser/diagnose.ts';
import { parser } from './parser/parser.ts';
import { lexer, Pivot } from './tokens.ts';

/** The version of the language that this program reads. */
export const languageVersion = 1;

/** Parses a text; `file` is its name in spans. */
export function parse(text: string, file: string): { tree: File; diagnostics: Diagnostic[] } {
  const { cst, build, diagnostics, tokens } = read(text, file, () => parser.file());
  const tree = isFile(cst) ? buildFile(build, cst) : emptyFile(build);
  const version =
    tokens[0]?.tokenType === Pivot ? checkVersion(tree) : [report('P0105', { version: languageVersion }, firstSpan(file, text))];
  return { tree: { ...tree, span: wholeSpan(file, text) }, diagnostics: inOrder([...version, ...diagnostics, ...build.diagnostics]) };
}

/** Parses one expression, as the command line takes it (`--set pairs=2k`); what follows it is a fault. */
export function parseExpression(text: string, file: string): { tree: Expression; diagnostics: Diagnostic[] } {
  const { cst, build, diagnostics } = read(text, file, () => parser.expression());
  const tree: Expression = isExpression(cst) ? buildExpression(build, cst) : { kind: 'Missing', span: build.missing() };
  return { tree, diagnostics: inOrder([...diagnostics, ...build.diagnostics]) };
}

function read(text: string, file: string, rule: () => CstNode | undefined) {
  const { tokens, groups, errors } = lexer.tokenize(text);
  const balanced = balance(tokens);
  parser.input = balanced.tokens;
  const cst = rule();
  const diagnostics = [
    ...lexicalFaults(errors, tokens, text, file),
    ...bracketFaults(balanced, tokens, file),
    ...syntaxFaults(parser.errors, balanced, file),
  ];
  return { cst, build: new Build(file, attachDocs(groups.docs, tokens)), diagnostics, tokens };
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
