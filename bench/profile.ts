/**
 * Where the time of the block step goes: each dispatch by its kernel, with operations and bytes a second.
 *
 *   node dist/bench/profile.js [adapter] [runs] [dispatch whose WGSL is printed]
 *
 * Dispatches are timed one at a time, and the least of several runs is kept. Tensors smaller than the caches of the processor
 * may read faster than its memory does.
 */
import { targetFor } from '../compiler/lower/choose.ts';
import { lower } from '../compiler/lower/lower.ts';
import { storageBytes } from '../plan/dtypes.ts';
import type { Program } from '../plan/program.ts';
import { Executor } from '../runtime/core/executor/executor.ts';
import { openDevice } from '../runtime/node/device/open.ts';
import { sleepingWait } from '../runtime/node/device/wait.ts';
import { firstBatch, firstWeights, scalarsAt } from './peers/values.ts';
import { table } from './results.ts';
import { PEER_SIZE, transformerStep } from './transformer-block.ts';

const [adapter, runs = '10', shown] = process.argv.slice(2);
const { device, info } = await openDevice({ adapter });
const { graph, weights } = transformerStep(PEER_SIZE);
const { program, kernels } = lower(graph, targetFor(info), { fuse: true, name: 'step' });
// Timings are summed by label: with a number in each, every dispatch has its own line.
const numbered: Program = {
  ...program,
  dispatches: program.dispatches.map((dispatch, i) => ({ ...dispatch, label: `${i} ${dispatch.label}` })),
};
const executor = await Executor.create({ device, wait: sleepingWait, programs: { step: numbered }, kernels });
for (const [name, values] of firstWeights(weights)) executor.writeState(name, values);
const values = { inputs: firstBatch(PEER_SIZE), scalars: { ...scalarsAt(1) } };
await executor.run('step', values).outputs();
const least = new Map<string, number>();
for (let run = 0; run < Number(runs); run += 1)
  for (const { label, ms } of await executor.timings('step', values)) least.set(label, Math.min(ms, least.get(label) ?? Infinity));

console.log(`${info.name}, ${info.driver}`);
const total = [...least.values()].reduce((sum, ms) => sum + ms, 0);
const rows = numbered.dispatches
  .map((dispatch) => ({ dispatch, ms: least.get(dispatch.label) ?? 0 }))
  .sort((a, b) => b.ms - a.ms)
  .map(({ dispatch, ms }) => {
    const tensors = dispatch.bindings.map((at) => program.tensors[at]);
    const bytes = tensors.reduce((sum, tensor) => sum + storageBytes(tensor), 0);
    const shapes = tensors.map(({ shape }, i) => `${dispatch.writes.includes(i) ? '>' : ''}${shape.join('x') || '1'}`);
    return [
      dispatch.label,
      ms.toFixed(3),
      `${((100 * ms) / total).toFixed(1)} %`,
      (bytes / ms / 1e6).toFixed(1),
      dispatch.workgroups.join('x'),
      shapes.join(' '),
    ];
  });
console.log(table(['dispatch', 'ms', 'share', 'GB/s', 'workgroups', 'tensors (> written)'], rows));
console.log(
  `${total.toFixed(1)} ms in ${rows.length} dispatches; ${(program.flops / total / 1e6).toFixed(1)} GFLOP/s, ${(program.traffic / total / 1e6).toFixed(1)} GB/s over all`,
);
if (shown !== undefined) console.log(kernels[program.dispatches[Number(shown)].kernel]);
process.exit(0);
