/** Expressions with all their parentheses, for tests of what binds to what. */
import { parse, parseExpression } from '../../grammar/index.ts';
import type { Declaration, Expression, IndexEntry, Statement } from '../../grammar/index.ts';

export function show(e: Expression): string {
  switch (e.kind) {
    case 'NumberLiteral':
      return `${e.value}${e.unit ?? ''}`;
    case 'StringLiteral':
      return JSON.stringify(e.value);
    case 'BoolLiteral':
      return String(e.value);
    case 'NoneLiteral':
      return 'none';
    case 'ListLiteral':
      return `[${e.items.map(show).join(', ')}]`;
    case 'Identifier':
      return e.name;
    case 'Member':
      return `${show(e.object)}.${e.name.text}`;
    case 'Call':
      return `${show(e.callee)}(${e.arguments.map((a) => `${a.name ? `${a.name.text}: ` : ''}${show(a.value)}`).join(', ')})`;
    case 'Index':
      return `${show(e.object)}[${e.entries.map(showEntry).join(', ')}]`;
    case 'Unary':
      return `(${e.operator} ${show(e.operand)})`;
    case 'Binary':
      return `(${show(e.left)} ${e.operator} ${show(e.right)})`;
    case 'Range':
      return `(${show(e.from)}..${show(e.to)})`;
    case 'Conditional':
      return `(if ${show(e.condition)} then ${show(e.then)} else ${show(e.otherwise)})`;
    case 'Arrow':
      return `(${e.steps.map(show).join(' -> ')})`;
    case 'Missing':
      return '<missing>';
  }
}

function showEntry(entry: IndexEntry): string {
  switch (entry.kind) {
    case 'IndexAt':
      return show(entry.value);
    case 'Slice':
      return `${entry.from ? show(entry.from) : ''}:${entry.to ? show(entry.to) : ''}`;
    case 'Rest':
      return '..';
    case 'IndexNamed':
      return `${entry.name.text}=${show(entry.value)}`;
  }
}

/** The expression of a text without faults. */
export function expression(text: string): Expression {
  const { tree, diagnostics } = parseExpression(text, 'test');
  if (diagnostics.length > 0) throw new Error(`${text}: ${diagnostics[0].message}`);
  return tree;
}

/** The declarations of a text without faults; `pivot 1` is put before it. */
export function declarations(text: string): Declaration[] {
  const { tree, diagnostics } = parse(`pivot 1\n${text}`, 'test');
  if (diagnostics.length > 0) throw new Error(`${text}: ${diagnostics.map((d) => d.message).join('; ')}`);
  return tree.declarations;
}

/** The one declaration of a text, of a kind. */
export function declaration<K extends Declaration['kind']>(kind: K, text: string): Extract<Declaration, { kind: K }> {
  const found = declarations(text);
  const [first] = found;
  if (found.length !== 1 || !isKind(first, kind)) throw new Error(`${text}: ${found.map((d) => d.kind).join(' ')}`);
  return first;
}

/** The one statement of a layer's body, of a kind. */
export function statement<K extends Statement['kind']>(kind: K, text: string): Extract<Statement, { kind: K }> {
  const { body = [] } = declaration('Definition', `layer f(x: [N]) { ${text} }`);
  const [first] = body;
  if (body.length !== 1 || !isKind(first, kind)) throw new Error(`${text}: ${body.map((s) => s.kind).join(' ')}`);
  return first;
}

function isKind<N extends { kind: string }, K extends N['kind']>(node: N, kind: K): node is Extract<N, { kind: K }> {
  return node.kind === kind;
}
