/** From a text to its syntax tree: lexer, parser, builders. Never throws on a bad text: there is always a tree, and diagnostics beside it. */
import type { IRecognitionException, IToken } from 'chevrotain';
import { Build } from './build/build.ts';
import { buildExpression } from './build/expressions.ts';
import { attachDocs } from './build/docs.ts';
import { report } from './diagnostics.ts';
import type { Diagnostic } from './diagnostics.ts';
import { buildFile } from './generated/build.ts';
import type { ExpressionCstNode, FileCstNode } from './generated/cst.ts';
import type { Expression, File, Span } from './generated/tree.ts';
import { parser } from './parser/parser.ts';
import { lexer } from './tokens.ts';
import { tokenSpan } from './build/build.ts';

export function parse(text: string, file: string): { tree: File; diagnostics: Diagnostic[] } {
  const { tokens, groups } = lexer.tokenize(text);
  parser.input = tokens;
  const cst = parser.file() as FileCstNode;
  const build = new Build(file, attachDocs(groups.docs, tokens));
  const tree = buildFile(build, cst);
  return { tree, diagnostics: [...parser.errors.map((error) => syntaxError(error, file)), ...build.diagnostics] };
}

export function parseExpression(text: string, file: string): { tree: Expression; diagnostics: Diagnostic[] } {
  const { tokens, groups } = lexer.tokenize(text);
  parser.input = tokens;
  const cst = parser.expression() as ExpressionCstNode;
  const build = new Build(file, attachDocs(groups.docs, tokens));
  const tree = buildExpression(build, cst);
  return { tree, diagnostics: [...parser.errors.map((error) => syntaxError(error, file)), ...build.diagnostics] };
}

function syntaxError(error: IRecognitionException, file: string): Diagnostic {
  const token: IToken = error.token;
  const span: Span = tokenSpan(file, token);
  return report('P0101', { expected: error.message, found: token.image === '' ? 'the end of the text' : `\`${token.image}\``, after: '' }, span);
}
