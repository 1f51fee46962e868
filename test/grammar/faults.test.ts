import { describe, expect, test } from '@jest/globals';
import { parse, parseExpression } from '../../grammar/index.ts';

/** The faults of a text as `line:column code message`. */
function faults(text: string): string[] {
  return parse(text, 'test').diagnostics.map((d) => `${d.span?.line}:${d.span?.column} ${d.code} ${d.message}`);
}

const helps = (text: string): (string | undefined)[] => parse(text, 'test').diagnostics.map((d) => d.help);

/** Faults of a text after its first line. */
const after = (text: string): string[] => faults(`pivot 1\n${text}\n`);

describe('the first line', () => {
  test('is missing', () => {
    expect(faults('param a = 1\n')).toEqual(['1:1 P0105 the text does not begin with `pivot 1`']);
    expect(faults('')).toEqual(['1:1 P0105 the text does not begin with `pivot 1`']);
  });
  test('has another version', () => {
    expect(faults('pivot 2\nparam a = 1\n')).toEqual(['1:7 P0106 this text is of version 2 of the language, this program knows version 1']);
  });
  test('has no version', () => {
    expect(faults('pivot\nparam a = 1\n')).toEqual(['1:6 P0101 expected a number after `pivot`, found `param`']);
  });
  test('stands twice', () => {
    expect(after('param a = 1\npivot 1')).toEqual(['3:1 P0107 the version stands at the beginning of a text, once']);
  });
});

describe('what is missing is named, at the end of its line', () => {
  test.each([
    ['param a =\nparam b = 2', '2:10 P0101 expected a value after `a =`, found `param`'],
    ['data x = f(lr: )', '2:16 P0101 expected a value after `lr:`, found `)`'],
    ['model m = a -> -> b', '2:16 P0101 expected a value after `->`, found `->`'],
    ['param a = 3 +', '2:14 P0101 expected a value after `+`, found the end of the text'],
    ['data d 3', '2:8 P0101 expected `=` after `d`, found `3`'],
    ['stage { steps 3 }', '2:7 P0101 expected a name after `stage`, found `{`'],
    ['param a: = 3', '2:10 P0101 expected a type after `a:`, found `=`'],
    ['data x = f(1, , 2)', '2:15 P0101 expected a value after `,`, found `,`'],
    ['export a as', '2:12 P0101 expected a string after `as`, found the end of the text'],
    ['use std.\nparam a = 1', '2:9 P0101 expected a name after `.`, found `param`'],
    ['layer f(x: [N]) { return }', '2:26 P0101 expected a value after `return`, found `}`'],
    ['layer f(x: [N]) { require x > 0\n  return x }', '2:32 P0101 expected `,` after `0`, found `return`'],
    ['layer f(x: [N]) { let if = 3 return x }', '2:23 P0101 expected a name after `let`, found `if`'],
    ['compare c { arm { loss sft } }', '2:17 P0101 expected a name after `arm`, found `{`'],
  ])('%s', (text, message) => {
    expect(after(text)).toEqual([message]);
  });
});

describe('what is often written otherwise gets help', () => {
  test.each([
    ['encodr eyes = 3', 'did you mean `encoder`?'],
    ['import std.loss', 'did you mean `use`?'],
    ['data x = f(lr = 3)', 'an argument is named by a colon: write `lr: 3`'],
    ['data x = f(depth 2)', 'write `depth: 2` for a named argument, or a comma between two'],
    ['stage s { batch = 32 }', 'a field is a name and a value, with nothing between: write `batch 32`'],
    ['stage s { batch: 32 }', 'a field is a name and a value, with nothing between: write `batch 32`'],
    ['export x[seed 0] as "s"', 'write `seed: 0` to select by name'],
    ['loss f(beta float) { return beta }', 'a type follows a colon: write `beta: float`'],
    ['param a = b ** 2', 'a power is written `a ^ b`'],
    ['param a = (1, 2)', 'a list stands in square brackets'],
    ['param a = [1 2]', 'is a comma missing after `1`?'],
    ['layer f(x: [N]) { retrun x }', 'did you mean `return`?'],
    ['layer f(x: [N]) { g(x) return x }', 'a body has no bare calls: name the result by `let`, or `return` it'],
    ['param in = 3', '`in` is a word of the language and cannot stand here'],
    ['param a = 32pixels', 'write `32px`'],
    ['param a = 8K', 'write `8k`'],
    ['param a = 300steps', 'write `300 steps`'],
    ["param a = 'x'", 'strings stand in double quotes'],
    ['param a = 3;', 'nothing ends a line here: remove it'],
    ['param a = 0 < b < 1', 'write `a < b and b < c`'],
  ])('%s', (text, help) => {
    expect(helps(`pivot 1\n${text}\n`)).toContain(help);
  });
});

describe('brackets', () => {
  test('a block that a declaration ends', () => {
    expect(after('stage s {\n  steps 3\n\nparam a = 1')).toEqual(['2:9 P0102 `{` of line 2 is never closed']);
  });
  test('an inner block, known by the columns', () => {
    const text = 'compare c {\n  arm a { loss sft\n  arm b { loss dpo }\n  steps 3\n}\nparam a = 1';
    expect(after(text)).toEqual(['3:9 P0102 `{` of line 3 is never closed']);
    expect(parse(`pivot 1\n${text}`, 'x').tree.declarations).toMatchObject([
      { arms: [{ name: { text: 'a' } }, { name: { text: 'b' } }], fields: [{}] },
      {},
    ]);
  });
  test('a call that its line ends', () => {
    expect(after('stage s {\n  optimize adamw(lr: cosine(peak: 1)\n  steps 3\n}')).toEqual(['3:17 P0102 `(` of line 3 is never closed']);
  });
  test('the wrong closing mark', () => {
    expect(after('data a = f(b]\ndata c = [1)')).toEqual([
      '2:11 P0102 `(` of line 2 is never closed',
      '3:10 P0102 `[` of line 3 is never closed',
    ]);
    expect(helps('pivot 1\ndata a = f(b]\n')).toEqual(['write `)` in place of `]`']);
  });
  test('one too many', () => {
    expect(after('data a = f(b))\nstage s { steps 3 } }')).toEqual(['2:14 P0104 `)` closes nothing', '3:21 P0104 `}` closes nothing']);
  });
  test('a string that swallows a bracket is told alone', () => {
    expect(after('stage s {\n  start load("x.safetensors)\n  steps 3\n}')).toEqual(['3:14 P0108 this string is not closed on its line']);
  });
  test('layout means nothing where brackets match', () => {
    expect(after('stage s {\ndata 3\nloss sft\n}\nlayer f(\nx: [N]) {\nreturn x }')).toEqual([]);
  });
});

describe('several faults at once', () => {
  const text = `pivot 1
param pairs: int = = 8k
model mllm = eyes -> mlp(depth 2) -> head
stage align {
  batch: 32
  steps 300
  clip
}
layer f(x: [N]) -> [N] {
  let y x + 1
  let z = 2 *
  return y
}
data ok = f(1)
`;
  test('one for each place', () => {
    expect(parse(text, 'x').diagnostics.map((d) => d.span?.line)).toEqual([2, 3, 5, 10, 11]);
  });
  test('and a tree of all that could be read', () => {
    const { declarations } = parse(text, 'x').tree;
    expect(declarations.map((d) => d.kind)).toEqual(['Param', 'Binding', 'Stage', 'Definition', 'Binding']);
    expect(declarations[2]).toMatchObject({
      fields: [{ name: { text: 'batch' } }, { name: { text: 'steps' }, value: { value: 300 } }, { name: { text: 'clip' } }],
    });
    expect(declarations[3]).toMatchObject({ body: [{ kind: 'Let' }, { kind: 'Let' }, { kind: 'Return' }] });
  });
  test('a hole in the tree is a Missing expression or an empty name', () => {
    expect(parse('pivot 1\nparam a =\nstage { steps 3 }\n', 'x').tree.declarations).toMatchObject([
      { name: { text: 'a' }, value: { kind: 'Missing' } },
      { kind: 'Stage', name: { text: '' }, fields: [{ name: { text: 'steps' } }] },
    ]);
  });
});

test('an expression on its own', () => {
  expect(parseExpression('2k', 'x')).toMatchObject({ tree: { value: 2000 }, diagnostics: [] });
  expect(parseExpression('', 'x')).toMatchObject({ tree: { kind: 'Missing' }, diagnostics: [{ code: 'P0101' }] });
  expect(parseExpression('a b', 'x').diagnostics).toHaveLength(1);
});
