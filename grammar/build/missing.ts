/** Nodes that stand where the text lacks what its grammar requires; a syntax error has been reported there. */
import type { Missing, NumberLiteral, Span, StringLiteral, TypeRef } from '../generated/tree.ts';

export function missingExpression(span: Span): Missing {
  return { kind: 'Missing', span };
}

export function missingTypeRef(span: Span): TypeRef {
  return { kind: 'TypeRef', span, optional: false };
}

export function missingStringLiteral(span: Span): StringLiteral {
  return { kind: 'StringLiteral', span, value: '' };
}

export function missingNumberLiteral(span: Span): NumberLiteral {
  return { kind: 'NumberLiteral', span, value: 0, text: '0' };
}
