import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { children, parse, walk } from '../../grammar/index.ts';
import { disagreements, drift } from '../../grammar/generate.ts';
import { nodes } from '../../grammar/nodes.ts';
import { PivotParser } from '../../grammar/parser/declarations.ts';

test('the generated files are those that the grammar yields', () => {
  expect(drift(fileURLToPath(new URL('../../grammar/generated', import.meta.url)))).toEqual([]);
});

test('the table of nodes and the rules of the parser agree', () => {
  expect(disagreements()).toEqual([]);
});

test('the grammar has no ambiguity that Chevrotain finds', () => {
  expect(() => new PivotParser(true)).not.toThrow();
});

const specimen = readFileSync(new URL('./specimen.pivot', import.meta.url), 'utf8');

test('walking meets every kind of node, each within its parent', () => {
  const { tree, diagnostics } = parse(specimen, 'specimen');
  expect(diagnostics).toEqual([]);
  const kinds = new Set<string>();
  walk(tree, (node) => {
    kinds.add(node.kind);
    for (const child of children(node)) {
      if (child.span.start < node.span.start || child.span.end > node.span.end)
        throw new Error(`${child.kind} reaches out of ${node.kind}`);
    }
  });
  expect(Object.keys(nodes).filter((kind) => !kinds.has(kind))).toEqual(['Missing']);
});

test('walking leaves out what the visitor declines', () => {
  const { tree } = parse('pivot 1\nparam a = f(b)\nparam c = d\n', 'x');
  const seen: string[] = [];
  walk(tree, (node) => {
    if (node.kind === 'Identifier') seen.push(node.name);
    return node.kind !== 'Call';
  });
  expect(seen).toEqual(['d']);
});
