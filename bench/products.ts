/**
 * Speed of matrix products by shape and target, in 10^9 products and sums a second.
 *
 *   node dist/bench/products.js [adapter]
 */
import type { Node } from '../compiler/graph/graph.ts';
import { GraphBuilder } from '../compiler/graph/builder.ts';
import { openDevice } from '../runtime/node/device/open.ts';
import { groupOf, targetsOf, timeGroup } from './time-kernels.ts';

const CASES: { form: string; spec: string; a: number[]; b: number[]; bias?: boolean }[] = [
  { form: 'NN', spec: 'm k, k n -> m n', a: [2048, 192], b: [192, 192] },
  { form: 'NN', spec: 'm k, k n -> m n', a: [2048, 768], b: [768, 192] },
  { form: 'NN', spec: 'm k, k n -> m n', a: [2048, 192], b: [192, 768] },
  { form: 'NN + bias, GELU', spec: 'm k, k n -> m n', a: [2048, 192], b: [192, 768], bias: true },
  { form: 'NT, gradient of the input', spec: 'm k, n k -> m n', a: [2048, 768], b: [192, 768] },
  { form: 'TN, gradient of the weight', spec: 'k m, k n -> m n', a: [2048, 192], b: [2048, 768] },
  { form: 'NT, scores, 64 of them', spec: 'b m k, b n k -> b m n', a: [64, 64, 32], b: [64, 64, 32] },
  { form: 'NN, values, 64 of them', spec: 'b m k, b k n -> b m n', a: [64, 64, 64], b: [64, 64, 32] },
  { form: 'odd', spec: 'm k, k n -> m n', a: [1001, 97], b: [97, 203] },
  { form: 'one row', spec: 'm k, k n -> m n', a: [1, 768], b: [768, 3072] },
];

const open = await openDevice({ adapter: process.argv[2] });
const targets = targetsOf(open);
console.log(`${open.info.name}, ${open.info.driver}`);
console.log(['m x n x k'.padStart(18), ...targets.map((target) => target.name.padStart(10)), '  form'].join(''));
for (const { form, spec, a, b, bias } of CASES) {
  const build = new GraphBuilder();
  let out: Node = build.einsum(spec, build.input('a', a), build.input('b', b));
  if (bias) {
    const x = build.add(out, build.input('bias', out.shape.slice(-1)));
    out = build.mul(build.mul(x, 0.5), build.add(build.erf(build.mul(x, Math.SQRT1_2)), 1));
  }
  const group = groupOf('product', [out]);
  const [m, n] = out.shape.slice(-2);
  const k = a[a.length - (spec.startsWith('k') ? 2 : 1)];
  const cells: string[] = [];
  for (const target of targets) {
    const { ms, kernels } = await timeGroup(open, group, target);
    const flops = 2 * k * out.shape.reduce((product, extent) => product * extent, 1);
    cells.push(`${(flops / ms / 1e6).toFixed(1)}${kernels.length > 1 ? '*' : ' '}`.padStart(10));
  }
  console.log(`${`${m} x ${n} x ${k}`.padStart(18)}${cells.join('')}  ${form}`);
}
open.close();
