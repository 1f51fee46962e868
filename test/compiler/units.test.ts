/** Units: a percentage is a hundredth wherever it meets numbers and tensors; another unit is refused there. */
import { describe, expect, test } from '@jest/globals';
import { evaluate } from '../../compiler/graph/evaluate.ts';
import { example } from '../../grammar/diagnostics/example.ts';
import { asFunction } from '../../plan/schedule.ts';
import { compileText } from '../support/compile-text.ts';
import { layerGraph } from '../support/layer-text.ts';

/** `layer f` of the text at x = 1; by default it returns the body. */
function at1(body: string, text = `layer f(x: [N]) -> [N] { return ${body} }`): number {
  const { graph, bindings } = layerGraph(text, { x: { data: [1] } });
  return evaluate({ outputs: graph.outputs.filter(({ name }) => name === 'y') }, bindings).output.y[0];
}

describe('a percentage', () => {
  test.each<[string, number]>([
    ['x * 10%', 0.1],
    ['x + 5%', 1.05],
    ['x - 50%', 0.5],
    ['x / 10%', 10],
    ['x ^ 200%', 1],
    ['max(x, 150%)', 1.5],
    ['where(x > 50%, x, 0)', 1],
    ['x * (10% * 10%)', 0.01],
    ['x * (10% + 10%)', 0.2],
    ['x * (2 * 10%)', 0.2],
    ['x * (10% / 2)', 0.05],
    ['x * (10% / 10%)', 1],
    ['x * (1 / 10%)', 10],
    ['x * (0.5 + 10%)', 0.6],
    ['x * -10%', -0.1],
    ['x * sqrt(4%)', 0.2],
    ['x * exp(10%)', Math.exp(0.1)],
    ['x * min(10%, 0.5)', 0.1],
    ['x * min(10%, 5%)', 0.05],
    ['x * (if 10% < 0.5 then 1 else 2)', 1],
    ['x * (if 10% == 0.1 then 1 else 2)', 1],
    ['x * (if 10% > 5% then 1 else 2)', 1],
    ['x * max(0, 10%)', 0.1],
  ])('%s', (body, wanted) => {
    expect(at1(body)).toBeCloseTo(wanted, 6);
  });

  test('of a parameter without a type', () => {
    expect(at1('', 'layer g(x: [N], t = 10%) -> [N] { return x * t }\nlayer f(x: [N]) -> [N] { return g(x) }')).toBeCloseTo(0.1, 6);
  });

  test('of an optimizer and a schedule', () => {
    const more = [
      'schedule mine(step: int, steps: int) { return 1e-3 * (1% * step + 50%) }',
      'layer times(g: [..], t: float) -> [..] { return g * t }',
      'optimizer own(p: [..], g: [..], lr: schedule > 0) { p = p - lr * 10% * exp(-step * 10%) * times(g, t: 1% * step) }',
    ].join('\n');
    const { plan, diagnostics } = compileText(example({ optimize: 'optimize own(lr: mine())', more }));
    expect(diagnostics.map(({ message }) => message)).toEqual([]);
    const task = plan?.tasks[0];
    if (task?.kind !== 'train') throw new Error('the first task trains');
    const { learning_rate: rate, ...others } = task.schedules;
    expect(asFunction(rate)(3)).toBeCloseTo(0.00053, 12);
    const found = Object.values(others).map((schedule) => asFunction(schedule)(3));
    for (const wanted of [0.00053 * 0.1 * Math.exp(-0.3), 0.03])
      expect(found.some((value) => Math.abs(value / wanted - 1) < 1e-9)).toBe(true);
  });
});

test.each(['x * 24px', 'x * 3 epochs', 'max(x, 2px)', 'x * (1 / 2px)', 'x * (2px * 2px)', 'x * sqrt(4px)', 'x * (1px + 10%)'])(
  '%s is refused',
  (body) => {
    expect(() => at1(body)).toThrow(/wrong unit/);
  },
);

describe('functions of a text take their arguments by name', () => {
  const loss = (call: string): string[] => {
    const more = `use std.model.scores.Pair\nloss own(policy: Pair) {\n  let chosen = policy.rejected.logp\n  let gap(chosen, rejected) = chosen - rejected\n  return mean(${call})\n}`;
    return compileText(example({ loss: 'loss own', more })).diagnostics.map(({ code }) => code);
  };
  const [a, b] = ['policy.chosen.logp', 'policy.rejected.logp'];
  test.each<[string, string[]]>([
    [`gap(${a}, ${b})`, []],
    [`gap(rejected: ${b}, chosen: ${a})`, []],
    [`gap(rejected: ${b}, ${a})`, []],
    [`gap(choosen: ${a}, rejected: ${b})`, ['P0209']],
    [`gap(chosen: ${a}, chosen: ${b})`, ['P0212']],
    [`gap(${a})`, ['P0213']],
    [`gap(${a}, ${b}, ${b})`, ['P0213']],
  ])('%s', (call, codes) => {
    expect(loss(call)).toEqual(codes);
  });
});

test('what is said once is said once, and seeds have no unit', () => {
  const codes = (more: string): string[] => compileText(example({ more })).diagnostics.map(({ code }) => code);
  expect(codes('seeds [0, 1]')).toEqual([]);
  expect(codes('seeds [0, 1]\nseeds [2]')).toEqual(['P0521']);
  expect(codes('seeds [0%, 1px]')).toEqual(['P0521']);
  expect(codes('export tune.eyes as "a.safetensors"\nexport tune.head as "b/../a.safetensors"')).toEqual(['P0521']);
});
