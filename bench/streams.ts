/**
 * Speed of elementwise work and reductions, in 10^9 bytes read and written a second.
 *
 *   node dist/bench/streams.js [adapter]
 */
import type { GroupKind } from '../compiler/fuse/group.ts';
import { GraphBuilder } from '../compiler/graph/builder.ts';
import type { Node } from '../compiler/graph/graph.ts';
import { openDevice } from '../runtime/node/device/open.ts';
import { groupOf, targetsOf, timeGroup } from './time-kernels.ts';

type Make = (b: GraphBuilder, x: Node) => Node[];

const gelu: Make = (b, x) => [b.mul(b.mul(x, 0.5), b.add(b.erf(b.mul(x, Math.SQRT1_2)), 1))];

const softmax: Make = (b, x) => {
  const last = x.shape.length - 1;
  const e = b.exp(b.sub(x, b.reduceMax(x, [last], true)));
  return [b.div(e, b.sum(e, [last], true))];
};

const norm: Make = (b, x) => {
  const last = x.shape.length - 1;
  const centred = b.sub(x, b.mul(b.sum(x, [last], true), 1 / x.shape[last]));
  const variance = b.mul(b.sum(b.mul(centred, centred), [last], true), 1 / x.shape[last]);
  return [
    b.add(b.mul(b.div(centred, b.sqrt(b.add(variance, 1e-5))), b.state('weight', [x.shape[last]])), b.state('bias', [x.shape[last]])),
  ];
};

const adamw: Make = (b, w) => {
  const [g, m, v] = ['g', 'm', 'v'].map((name) => b.state(name, w.shape));
  const rate = b.scalar('rate');
  const m1 = b.add(b.mul(m, 0.9), b.mul(g, 0.1));
  const v1 = b.add(b.mul(v, 0.999), b.mul(b.mul(g, g), 0.001));
  return [b.sub(w, b.mul(rate, b.div(m1, b.add(b.sqrt(v1), 1e-8)))), m1, v1];
};

const CASES: { name: string; kind: GroupKind; shape: number[]; make: Make }[] = [
  { name: 'add', kind: 'map', shape: [1024, 1024], make: (b, x) => [b.add(x, b.input('y', x.shape))] },
  { name: 'GELU', kind: 'map', shape: [1024, 1024], make: gelu },
  { name: 'transposed copy', kind: 'map', shape: [1024, 1024], make: (b, x) => [b.add(b.permute(x, [1, 0]), 1)] },
  { name: 'AdamW', kind: 'map', shape: [512, 1024], make: adamw },
  { name: 'softmax', kind: 'rows', shape: [4096, 256], make: softmax },
  { name: 'softmax, short rows', kind: 'rows', shape: [16384, 64], make: softmax },
  { name: 'softmax, very short rows', kind: 'rows', shape: [65536, 16], make: softmax },
  { name: 'layer norm', kind: 'rows', shape: [2048, 192], make: norm },
  { name: 'layer norm', kind: 'rows', shape: [2048, 768], make: norm },
  { name: 'sum of rows', kind: 'rows', shape: [4096, 256], make: (b, x) => [b.sum(x, [1])] },
  { name: 'sum of one long row', kind: 'rows', shape: [1, 16384], make: (b, x) => [b.sum(b.mul(x, x), [1])] },
  { name: 'sum of columns', kind: 'columns', shape: [4096, 256], make: (b, x) => [b.sum(x, [0])] },
  { name: 'sum of columns', kind: 'columns', shape: [2048, 768], make: (b, x) => [b.sum(x, [0])] },
];

const open = await openDevice({ adapter: process.argv[2] });
const targets = targetsOf(open);
console.log(`${open.info.name}, ${open.info.driver}`);
console.log(['shape'.padStart(14), ...targets.map((target) => target.name.padStart(10)), '  work'].join(''));
for (const { name, kind, shape, make } of CASES) {
  const b = new GraphBuilder();
  const group = groupOf(kind, make(b, b.input('x', shape)));
  const cells: string[] = [];
  for (const target of targets) {
    const { ms, kernels } = await timeGroup(open, group, target);
    const bytes = kernels.reduce((sum, kernel) => sum + kernel.bytes, 0);
    cells.push((bytes / ms / 1e6).toFixed(1).padStart(10));
  }
  console.log(`${shape.join(' x ').padStart(14)}${cells.join('')}  ${name}`);
}
open.close();
