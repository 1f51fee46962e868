/** Optimizers on recorded gradients: every tensor after every step, the gradient norm and its clipping included. */
import { Context } from '../../compiler/elaborate/context.ts';
import type { WeightInfo } from '../../compiler/elaborate/context.ts';
import type { Universe } from '../../compiler/elaborate/names.ts';
import { GraphBuilder } from '../../compiler/graph/builder.ts';
import { lower } from '../../compiler/lower/lower.ts';
import { runPasses, simplification } from '../../compiler/passes/passes.ts';
import { finishStep } from '../../compiler/pipeline/train-graphs.ts';
import { elements } from '../../plan/dtypes.ts';
import { valueAt } from '../../plan/schedule.ts';
import { Executor } from '../../runtime/core/executor/executor.ts';
import { sleepingWait } from '../../runtime/node/device/wait.ts';
import type { Bench } from './bench.ts';
import { check } from './check.ts';
import type { Check } from './check.ts';
import { valueOf } from './forward.ts';
import { below } from './recording.ts';
import type { Recording } from './recording.ts';

/** Recorded variants as text, and the largest gradient norm where one is set. */
const VARIANTS: Record<string, { text: string; clip?: number }> = {
  adamw: { text: 'adamw(lr: 1e-2, beta2: 0.98, epsilon: 1e-8, weight_decay: 0.1)' },
  'adamw.clip': { text: 'adamw(lr: 1e-2, beta2: 0.999, epsilon: 1e-6)', clip: 0.5 },
  sgd: { text: 'sgd(lr: 1e-2)' },
  'sgd.momentum': { text: 'sgd(lr: 1e-2, momentum: 0.9, weight_decay: 0.05)' },
  'sgd.nesterov': { text: 'sgd(lr: 1e-2, momentum: 0.9, nesterov: true)' },
};

export async function checkOptimizers(bench: Bench, recording: Recording, universe: Universe): Promise<Check[]> {
  const known = Object.keys(VARIANTS).flatMap((name) => ['a', 'b', 'c'].map((t) => `${name}.${t}`));
  const odd = [...below(recording, 'optimizers.').keys()].filter((name) => !/^(start|grads)\./.test(name) && !known.includes(name));
  if (odd.length > 0) throw new Error(`there is no text for the recorded optimizers ${odd.join(', ')}`);
  const checks: Check[] = [];
  for (const [name, variant] of Object.entries(VARIANTS)) {
    const found = await run(bench, recording, universe, variant);
    const arrays = [...found].map(([tensor, path]) => ({
      name: tensor,
      found: path,
      wanted: below(recording, `optimizers.${name}.`).get(tensor)?.data ?? [],
    }));
    checks.push(check(`optimizer ${name}`, 1e-6, 'of the largest', arrays));
  }
  return checks;
}

/** Values of each tensor after each step, one after the other. */
async function run(
  { open, target }: Bench,
  recording: Recording,
  universe: Universe,
  variant: { text: string; clip?: number },
): Promise<Map<string, number[]>> {
  const optimizer = valueOf(universe, variant.text);
  if (optimizer.kind !== 'bound') throw new Error(`${variant.text} is no optimizer`);
  const start = below(recording, 'optimizers.start.');
  const grads = below(recording, 'optimizers.grads.');
  const [steps] = [...grads.values()].map((t) => t.shape[0]);
  const span = universe.loaded.main.tree.span;
  const ctx = new Context(new GraphBuilder());
  const b = ctx.builder;
  const pairs = [...start].map(([path, { shape }]) => {
    const weight: WeightInfo = { path, shape, init: { kind: 'constant', value: 0 }, decay: true, node: b.state(path, shape), span };
    return { weight, gradient: b.input(`grad.${path}`, shape) };
  });
  const spec = { optimizer, clip: variant.clip, length: { steps, stepsPerEpoch: steps }, span };
  const { outputs } = finishStep(ctx, universe.loaded, spec, pairs, b.constant(0), () => undefined);
  const { program, kernels } = lower(runPasses({ outputs }, simplification()), target, { fuse: true, name: variant.text });
  const executor = await Executor.create({ device: open.device, wait: sleepingWait, programs: { update: program }, kernels });
  const paths = new Map([...start.keys()].map((name): [string, number[]] => [name, []]));
  try {
    for (const [name, { data }] of start) executor.writeState(name, data);
    for (let step = 0; step < steps; step++) {
      const inputs = new Map(
        [...grads].map(([name, { shape, data }]) => {
          const length = elements(shape.slice(1));
          return [`grad.${name}`, data.subarray(step * length, (step + 1) * length)] as const;
        }),
      );
      const changing = [...ctx.schedules].map(([name, schedule]) => [name, valueAt(schedule, step)] as const);
      executor.run('update', { inputs, scalars: { ...Object.fromEntries(ctx.scalars), ...Object.fromEntries(changing) } }).discard();
      for (const [name, values] of await executor.readState(start.keys())) paths.get(name)?.push(...values);
    }
  } finally {
    executor.destroy();
  }
  return paths;
}
