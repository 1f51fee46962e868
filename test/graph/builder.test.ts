import { describe, expect, test } from '@jest/globals';
import { GraphBuilder } from '../../compiler/graph/builder.ts';
import { GraphFault, ShapeError } from '../../compiler/graph/errors.ts';
import { evaluateNodes } from '../../compiler/graph/evaluate.ts';
import type { Graph, Node } from '../../compiler/graph/graph.ts';

function bodyOf(make: (b: GraphBuilder) => Node): Graph {
  return { outputs: [{ kind: 'output', name: 'out', node: make(new GraphBuilder()) }] };
}

describe('sharing', () => {
  test('equal computations are one node, whatever their labels', () => {
    const b = new GraphBuilder();
    const x = b.input('x', [3]);
    const first = b.withLabel('here', () => b.exp(b.add(x, 1)));
    const second = b.withLabel('there', () => b.exp(b.add(x, 1)));
    expect(second).toBe(first);
    expect(first.label).toBe('here');
  });

  test('operands of sums and products may stand in either order, those of max may not', () => {
    const b = new GraphBuilder();
    const [x, y] = [b.input('x', [3]), b.input('y', [3])];
    expect(b.mul(y, x)).toBe(b.mul(x, y));
    expect(b.max(y, x)).not.toBe(b.max(x, y));
  });

  test('products are equal whatever numbers their labels have', () => {
    const b = new GraphBuilder();
    const [x, y] = [b.input('x', [3, 4]), b.input('y', [4, 5])];
    expect(b.contract(x, [7, 2], y, [2, 9], [9, 7])).toBe(b.einsum('i k, k j -> j i', x, y));
  });

  test('constants differ by type and by the sign of zero', () => {
    const b = new GraphBuilder();
    expect(b.constant(1, 'i32')).not.toBe(b.constant(1));
    expect(b.constant(-0)).not.toBe(b.constant(0));
  });

  test('composites are equal by definition', () => {
    const b = new GraphBuilder();
    const x = b.input('x', [2]);
    const square = () => bodyOf((inner) => inner.mul(inner.input('arg0', [2]), inner.input('arg0', [2])));
    const cube = bodyOf((inner) => inner.pow(inner.input('arg0', [2]), 3));
    expect(b.composite('f', [x], square())).toBe(b.composite('f', [x], square()));
    expect(b.composite('f', [x], cube)).not.toBe(b.composite('f', [x], square()));
  });

  test('operands of composites may be bool, which inputs of programs may not', () => {
    const b = new GraphBuilder();
    const sure = b.less(b.input('x', [2]), 0);
    const opposite = bodyOf((inner) => inner.not(inner.input('arg0', [2], 'bool')));
    const [value] = evaluateNodes([b.composite('opposite', [sure], opposite)], { input: { x: [-1, 1] } });
    expect([...value]).toEqual([0, 1]);
  });

  test('a node of another builder is refused', () => {
    const [b, other] = [new GraphBuilder(), new GraphBuilder()];
    b.input('x', [3]);
    expect(() => b.exp(other.input('y', [3]))).toThrow(GraphFault);
  });
});

describe('broadcasting', () => {
  test.each([
    [[2, 3], [3], [2, 3]],
    [
      [4, 1],
      [1, 5],
      [4, 5],
    ],
    [[], [2], [2]],
    [
      [3, 1, 2],
      [7, 1],
      [3, 7, 2],
    ],
  ])('%j with %j is %j', (x, y, both) => {
    const b = new GraphBuilder();
    expect(b.add(b.input('x', x), b.input('y', y)).shape).toEqual(both);
  });

  test('numbers take the type of the other operand', () => {
    const b = new GraphBuilder();
    expect(b.add(b.iota([4], 0), 1).dtype).toBe('i32');
  });

  test('movement that moves nothing makes no node', () => {
    const b = new GraphBuilder();
    const x = b.input('x', [2, 3]);
    for (const same of [
      b.reshape(x, [2, 3]),
      b.permute(x, [0, 1]),
      b.broadcast(x, [2, 3]),
      b.slice(x, [0, 0], [2, 3]),
      b.pad(x, [0, 0], [2, 3]),
      b.concat([x], 0),
      b.sum(x, []),
    ]) {
      expect(same).toBe(x);
    }
  });
});

describe('einsum', () => {
  const b = new GraphBuilder();
  const x = b.input('x', [2, 3, 4]);
  const w = b.input('w', [5, 4]);

  test('names of several letters, free order of the result', () => {
    expect(b.einsum('n time d, vocab d -> vocab n time', x, w).shape).toEqual([5, 2, 3]);
  });

  test('a name of one operand alone is summed first', () => {
    const node = b.einsum('n t d, v d -> n d', x, w);
    const values = { x: Array.from({ length: 24 }, (_, i) => i), w: Array.from({ length: 20 }, (_, i) => i % 3) };
    const [direct, long] = evaluateNodes([node, b.mul(b.sum(x, [1]), b.sum(w, [0]))], { input: values });
    expect(direct).toEqual(long);
  });

  test('one operand: sums and order', () => {
    expect(b.einsum('n t d -> d n', x).shape).toEqual([4, 2]);
  });

  test.each([
    ['n t d, v d -> n q', "'q'"],
    ['n t, v d -> n', 'names 2 axes'],
    ['n n d, v d -> n', 'twice'],
    ['n t d, d v -> n', "axis 'd'"],
    ['n t d, v d', '->'],
    ['n t d -> n', '1 operands'],
  ])('%s: %s', (spec, part) => {
    expect(() => b.einsum(spec, x, w)).toThrow(part);
  });
});

describe('what each primitive refuses', () => {
  const b = new GraphBuilder();
  const x = b.input('x', [2, 3]);
  const i = b.input('i', [2], 'i32');
  const yes = b.less(x, 0);
  const cases: [string, () => Node, string][] = [
    ['input', () => b.input('z', [0, 3]), 'above zero'],
    ['input', () => b.input('z', [2], 'bool'), 'never stored'],
    ['state', () => b.state('s', [2.5]), 'whole number'],
    ['constant', () => b.constant(1e39), 'is no f32'],
    ['constant', () => b.constant(0.5, 'i32'), 'is no i32'],
    ['iota', () => b.iota([2], 1), 'axis 1'],
    ['unary', () => b.exp(i), 'takes f32, not i32'],
    ['unary', () => b.not(x), 'takes bool'],
    ['binary', () => b.add(x, b.input('y', [2, 4])), '[2, 3] and [2, 4]'],
    ['binary', () => b.node({ kind: 'binary', fn: 'add' }, [x, b.sum(x, [0])]), '[2, 3] and [3]'],
    ['binary', () => b.add(b.sum(x, [1]), i), 'f32 and i32'],
    ['binary', () => b.and(x, x), 'takes bool'],
    ['select', () => b.select(x, x, x), 'not bool'],
    ['select', () => b.select(yes, x, b.cast(x, 'i32')), 'f32 and i32'],
    ['cast', () => b.node({ kind: 'cast' }, [x]), 'needs an element type'],
    ['reduce', () => b.sum(x, [2]), 'axis 2'],
    ['reduce', () => b.sum(x, [1, -1]), 'twice'],
    ['reduce', () => b.sum(yes), 'not bool'],
    ['contract', () => b.contract(x, [0, 1], x, [1, 2], [0, 2]), 'joins an axis of 3 with one of 2'],
    ['contract', () => b.contract(x, [0, 1], x, [2, 1], [0]), 'only one operand has'],
    ['contract', () => b.contract(x, [0, 1], x, [2, 1], [0, 2, 3]), 'no operand has'],
    ['contract', () => b.contract(x, [0], x, [0, 1], [1]), 'names 1 axes'],
    ['reshape', () => b.reshape(x, [4]), '6 elements'],
    ['permute', () => b.permute(x, [0, 0]), 'no order'],
    ['expand', () => b.expand(x, [4, 3]), 'cannot be repeated'],
    ['expand', () => b.broadcast(x, [3]), 'cannot be broadcast'],
    ['slice', () => b.slice(x, [1, 0], [2, 3]), 'does not lie within'],
    ['pad', () => b.pad(x, [1, 0], [2, 3 + 1]), 'does not fit'],
    ['concat', () => b.concat([x, b.input('y', [2, 4])], 0), '[2, 3] and [2, 4]'],
    ['concat', () => b.concat([], 0), 'at least one'],
    ['gather', () => b.gather(x, b.sum(x, [1])), 'index of i32'],
    ['gather', () => b.gather(b.scalar('s'), i), 'rows of a table'],
    ['scatter_add', () => b.scatterAdd(b.sum(x), i, 4), 'shape [] by an index of shape [2]'],
    ['scatter_add', () => b.scatterAdd(x, i, 0), 'number of rows'],
    [
      'composite',
      () =>
        b.composite(
          'f',
          [x],
          bodyOf((inner) => inner.exp(inner.input('arg0', [3]))),
        ),
      "operand 0 of 'f'",
    ],
    [
      'composite',
      () =>
        b.composite(
          'f',
          [x],
          bodyOf((inner) => inner.exp(inner.input('other', [2, 3]))),
        ),
      "the input 'other'",
    ],
    ['composite', () => b.composite('f', [x], { outputs: [] }), '0 outputs'],
  ];
  test.each(cases)('%s %#', (_kind, make, message) => {
    expect(make).toThrow(ShapeError);
    expect(make).toThrow(message);
  });
});

test('powers with safe exponents avoid pow, which WGSL leaves undefined for negative bases', () => {
  const b = new GraphBuilder();
  const x = b.input('x', [3]);
  const positive = b.abs(x);
  const exponents = [-4, -2, -1, -0.5, 0, 0.5, 1, 2, 3, 4];
  const powers = exponents.map((e) => b.pow(Number.isInteger(e) ? x : positive, e));
  expect(powers.filter((node) => node.op.kind === 'binary' && node.op.fn === 'pow')).toEqual([]);
  const base = [-1.5, 0.5, 2];
  evaluateNodes(powers, { input: { x: base } }).forEach((values, k) => {
    base.forEach((v, j) => expect(values[j]).toBeCloseTo(Math.pow(Number.isInteger(exponents[k]) ? v : Math.abs(v), exponents[k]), 10));
  });
});
