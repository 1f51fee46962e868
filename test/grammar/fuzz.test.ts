import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { children, formatDiagnostics, parse } from '../../grammar/index.ts';
import type { Node } from '../../grammar/index.ts';
import { damage, randomNumbers } from './mutate.ts';

const specimen = readFileSync(new URL('./specimen.pivot', import.meta.url), 'utf8');

/** Walks all nodes; throws at a span that does not lie in the text. */
function checkSpans(node: Node, length: number): number {
  const { start, end } = node.span;
  if (!(start >= 0 && end >= start && end <= length)) throw new Error(`${node.kind} has the span ${start}..${end} of ${length}`);
  return children(node).reduce((count, child) => count + checkSpans(child, length), 1);
}

describe('damaged texts', () => {
  test.each([1, 2, 5, 20])('%i edits: a tree and sound diagnostics, never an exception', (edits) => {
    const random = randomNumbers(edits);
    for (let round = 0; round < 40; round++) {
      const text = damage(specimen, edits, random);
      const { tree, diagnostics } = parse(text, 'fuzz.pivot');
      expect(tree.kind).toBe('File');
      expect(checkSpans(tree, text.length)).toBeGreaterThan(1);
      for (const { span, message } of diagnostics) {
        expect(message).not.toMatch(/undefined|NaN|\[object/);
        expect(span && span.start >= 0 && span.end >= span.start && span.end <= text.length && span.line >= 1).toBe(true);
      }
      if (diagnostics.length > 0) expect(formatDiagnostics(diagnostics, new Map([['fuzz.pivot', text]]))).toContain('error P01');
    }
  });

  test('a text cut anywhere', () => {
    for (let length = 0; length < specimen.length; length += 23) {
      const text = specimen.slice(0, length);
      const { tree } = parse(text, 'cut.pivot');
      expect(checkSpans(tree, text.length)).toBeGreaterThanOrEqual(1);
    }
  });

  test('one lost word leaves most declarations', () => {
    const random = randomNumbers(7);
    const whole = parse(specimen, 'x').tree.declarations.length;
    let kept = 0;
    const rounds = 100;
    for (let round = 0; round < rounds; round++) kept += parse(damage(specimen, 1, random), 'x').tree.declarations.length;
    expect(kept / rounds / whole).toBeGreaterThan(0.95);
  });
});
