/** Expressions: the levels of the grammar folded into operators, calls, members and indices. */
import type { IToken } from 'chevrotain';
import { report } from '../diagnostics.ts';
import { buildArgument, buildIndexNamed, buildListLiteral, buildRest } from '../generated/build.ts';
import type * as cst from '../generated/cst.ts';
import type { Binary, Expression, IndexEntry } from '../generated/tree.ts';
import { buildNumberLiteral, buildStringLiteral } from './literals.ts';
import { join } from './build.ts';
import type { Build } from './build.ts';
import { missingExpression } from './missing.ts';

export function buildExpression(build: Build, node: cst.ExpressionCstNode): Expression {
  const steps = build.many(node.children.steps, buildStep);
  if (steps.length === 1) return steps[0];
  if (steps.length === 0) return missingExpression(build.missing());
  return { kind: 'Arrow', span: join(steps[0].span, steps[steps.length - 1].span), steps };
}

function buildStep(build: Build, node: cst.StepCstNode): Expression {
  const value = node.children.value?.[0];
  if (!value) return missingExpression(build.missing());
  if (value.name === 'disjunction') return fold(build, value.children, (b, operand) => fold(b, operand.children, buildNegation));
  return {
    kind: 'Conditional',
    span: build.span(value),
    condition: build.one(value.children.condition, buildStep, missingExpression),
    then: build.one(value.children.then, buildStep, missingExpression),
    otherwise: build.one(value.children.otherwise, buildStep, missingExpression),
  };
}

interface Level<C> {
  operands?: C[];
  operators?: IToken[];
}

/** Operands joined from the left. */
function fold<C>(build: Build, { operands, operators }: Level<C>, operand: (build: Build, node: C) => Expression): Expression {
  const [first, ...others] = build.many(operands, operand);
  if (!first) return missingExpression(build.missing());
  return others.reduce((left, right, i) => binary(operators?.[i], left, right), first);
}

const binaryOperators = ['or', 'and', '<', '<=', '>', '>=', '==', '!=', 'in', '+', '-', '*', '/', '%', '^'] as const;

function binary(token: IToken | undefined, left: Expression, right: Expression): Expression {
  const operator: Binary['operator'] | undefined = binaryOperators.find((o) => o === token?.image);
  return operator ? { kind: 'Binary', span: join(left.span, right.span), operator, left, right } : left;
}

function buildNegation(build: Build, node: cst.NegationCstNode): Expression {
  const { operator, operand } = node.children;
  const value = operand?.[0];
  if (!value) return missingExpression(build.missing());
  if (value.name === 'comparison') return buildComparison(build, value);
  const span = build.span(node);
  return operator ? { kind: 'Unary', span, operator: 'not', operand: buildNegation(build, value) } : buildNegation(build, value);
}

function buildComparison(build: Build, node: cst.ComparisonCstNode): Expression {
  const { operators } = node.children;
  if (operators && operators.length > 1) {
    build.diagnostics.push(report('P0114', { first: operators[0].image, second: operators[1].image }, build.tokenSpan(operators[1])));
  }
  return fold(build, node.children, buildRange);
}

function buildRange(build: Build, node: cst.RangeCstNode): Expression {
  const from = build.one(node.children.from, buildSum, missingExpression);
  if (!node.children.DotDot) return from;
  const to = build.one(node.children.to, buildSum, missingExpression);
  return { kind: 'Range', span: join(from.span, to.span), from, to };
}

export function buildSum(build: Build, node: cst.SumCstNode): Expression {
  return fold(build, node.children, (b, product) => fold(b, product.children, buildUnary));
}

function buildUnary(build: Build, node: cst.UnaryCstNode): Expression {
  const { operator, operand } = node.children;
  const value = operand?.[0];
  if (!value) return missingExpression(build.missing());
  if (value.name === 'power') return buildPower(build, value);
  const span = build.span(node);
  return operator ? { kind: 'Unary', span, operator: '-', operand: buildUnary(build, value) } : buildUnary(build, value);
}

function buildPower(build: Build, node: cst.PowerCstNode): Expression {
  const base = build.one(node.children.base, buildPostfix, missingExpression);
  if (!node.children.Caret) return base;
  return binary(node.children.Caret[0], base, build.one(node.children.exponent, buildUnary, missingExpression));
}

function buildPostfix(build: Build, node: cst.PostfixCstNode): Expression {
  const base = build.one(node.children.base, buildPrimary, missingExpression);
  return (node.children.suffixes ?? []).reduce((object: Expression, suffix): Expression => {
    const span = join(object.span, build.span(suffix));
    switch (suffix.name) {
      case 'member':
        return { kind: 'Member', span, object, name: build.name(suffix.children.name) };
      case 'call':
        return { kind: 'Call', span, callee: object, arguments: build.many(suffix.children.arguments, buildArgument) };
      case 'index':
        return { kind: 'Index', span, object, entries: build.many(suffix.children.entries, buildIndexEntry) };
    }
  }, base);
}

function buildIndexEntry(build: Build, node: cst.IndexEntryCstNode): IndexEntry | undefined {
  const value = node.children.value?.[0];
  if (!value) return undefined;
  if (value.name === 'rest') return buildRest(build, value);
  if (value.name === 'indexNamed') return buildIndexNamed(build, value);
  const span = build.span(value);
  const { from, colon, to } = value.children;
  if (!colon) return { kind: 'IndexAt', span, value: build.one(from, buildExpression, missingExpression) };
  return { kind: 'Slice', span, from: build.optional(from, buildExpression), to: build.optional(to, buildExpression) };
}

function buildPrimary(build: Build, node: cst.PrimaryCstNode): Expression {
  const { name, word, value } = node.children;
  const span = build.span(node);
  if (name) return name[0].image === '' ? missingExpression(span) : { kind: 'Identifier', span, name: name[0].image };
  if (word)
    return word[0].image === 'none' ? { kind: 'NoneLiteral', span } : { kind: 'BoolLiteral', span, value: word[0].image === 'true' };
  const inner = value?.[0];
  switch (inner?.name) {
    case 'number':
      return buildNumberLiteral(build, inner);
    case 'string':
      return buildStringLiteral(build, inner);
    case 'listLiteral':
      return buildListLiteral(build, inner);
    case 'group':
      return { ...build.one(inner.children.value, buildExpression, missingExpression), span };
    default:
      return missingExpression(span);
  }
}
