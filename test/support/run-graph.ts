/** Runs a tensor graph on a device by way of the compiler's lowering, for comparison with the oracle. */
import { simplification, runPasses } from '../../compiler/passes/passes.ts';
import type { Halves } from '../../compiler/passes/passes.ts';
import type { Bindings, Results } from '../../compiler/graph/evaluate.ts';
import type { Graph } from '../../compiler/graph/graph.ts';
import { lower } from '../../compiler/lower/lower.ts';
import type { Lowered } from '../../compiler/lower/lower.ts';
import { TARGETS } from '../../compiler/lower/targets.ts';
import type { TypedArrayOf } from '../../plan/dtypes.ts';
import type { Program, Target } from '../../plan/program.ts';
import { pickTarget } from '../../runtime/core/device/target.ts';
import { Executor } from '../../runtime/core/executor/executor.ts';
import { sleepingWait } from '../../runtime/node/device/wait.ts';
import type { OpenDevice } from '../../runtime/node/device/open.ts';

/** The fastest target that an open device satisfies. */
export function targetOf({ info }: OpenDevice): Target {
  const { portable, gpu } = TARGETS;
  const software = [TARGETS['software-4'], TARGETS['software-8'], TARGETS['software-16']];
  return pickTarget(info.type === 'gpu' ? [gpu, portable] : [...software, portable], info);
}

/** Values of a graph's outputs as the device computes them: one run from the states bound. */
export async function runGraph(
  open: OpenDevice,
  graph: Graph,
  bindings: Bindings,
  options: { fuse: boolean; target?: Target; simplify?: boolean; halves?: Halves },
): Promise<Results> {
  const simple = options.simplify === false ? graph : runPasses(graph, simplification(options.halves));
  return runLowered(open, lower(simple, options.target ?? targetOf(open), { fuse: options.fuse, name: 'test' }), bindings);
}

export async function runLowered(open: OpenDevice, { program, kernels }: Lowered, bindings: Bindings): Promise<Results> {
  const executor = await Executor.create({ device: open.device, wait: sleepingWait, programs: { run: program }, kernels });
  try {
    for (const name of executor.stateNames) executor.writeState(name, stateArray(program, name, bindings.state?.[name]));
    const inputs = new Map(program.inputs.filter((x) => !x.derive).map((x) => [x.name, typed(x.dtype, bindings.input?.[x.name] ?? [])]));
    const outputs = await executor.run('run', { inputs, scalars: bindings.scalar ?? {} }).outputs();
    const results: Results = { output: {}, state: {} };
    for (const [name, values] of outputs) results.output[name] = Float64Array.from(values);
    for (const [name, values] of await executor.readState()) results.state[name] = Float64Array.from(values);
    return results;
  } finally {
    executor.destroy();
  }
}

function stateArray(program: Program, name: string, values: ArrayLike<number> | undefined): TypedArrayOf {
  const tensor = program.tensors.find(({ memory }) => memory.kind === 'state' && memory.name === name);
  if (!tensor) throw new Error(`the program has no state ${name}`);
  const count = tensor.shape.reduce((n, d) => n * d, 1);
  return typed(tensor.dtype, values ?? new Float32Array(count));
}

function typed(dtype: 'f32' | 'i32' | 'u32', values: ArrayLike<number>): TypedArrayOf {
  return dtype === 'f32' ? Float32Array.from(values) : dtype === 'i32' ? Int32Array.from(values) : Uint32Array.from(values);
}

/** The outputs that differ by more than `tolerance` times their largest value (or 1), in words; empty where all agree. */
export function differences(found: Results, wanted: Results, tolerance: number): string[] {
  return (['output', 'state'] as const).flatMap((kind) =>
    Object.entries(wanted[kind]).flatMap(([name, values]) => {
      const got = found[kind][name];
      if (got?.length !== values.length) return [`${kind} ${name}: ${got?.length ?? 'no'} values instead of ${values.length}`];
      const scale = values.reduce((most, x) => Math.max(most, Math.abs(x)), 1);
      let worst = 0;
      values.forEach((x, i) => {
        const off = Math.abs(got[i] - x) / scale;
        if (!(off <= (Number.isFinite(x) ? Math.abs(got[worst] - values[worst]) / scale : 0))) worst = i;
      });
      const off = Math.abs(got[worst] - values[worst]) / scale;
      return off <= tolerance ? [] : [`${kind} ${name}[${worst}]: ${got[worst]} instead of ${values[worst]}`];
    }),
  );
}
