/** Training runs against recorded ones, step by step: loss, gradient norm, rate, the metrics of pairs, weights, reference. */
import { join } from 'node:path';
import type { TrainTask } from '../../plan/plan.ts';
import { trainTask } from '../support/train-plan.ts';
import type { Trained } from '../support/train-plan.ts';
import type { Bench } from './bench.ts';
import { check } from './check.ts';
import type { Check, Measure } from './check.ts';
import { below, isKeyBias, ours } from './recording.ts';
import type { RecordedStep, Recording } from './recording.ts';
import { planOf } from './text.ts';
import type { RecordedText } from './text.ts';

type Arm = 'sft' | 'dpo';

/** Of weights after 20 steps, in parts of each tensor's largest value. */
const WEIGHTS = 3e-4;

/** Metrics of pairs. Log-probabilities are sums of some tens of nats, so they are held to the tolerance of activations. */
const PAIR_METRICS: [string, Measure][] = [
  ['rewards/chosen', 'absolute'],
  ['rewards/rejected', 'absolute'],
  ['rewards/margins', 'absolute'],
  ['rewards/accuracies', 'absolute'],
  ['logps/chosen', 'of the largest'],
  ['logps/rejected', 'of the largest'],
];

export async function checkTrajectories({ open, target }: Bench, recording: Recording, text: RecordedText): Promise<Check[]> {
  const plan = planOf(text, target);
  const checks: Check[] = [];
  for (const arm of ['sft', 'dpo'] as const) {
    const task = plan.tasks.find((t): t is TrainTask => t.kind === 'train' && t.arm === arm);
    if (!task) throw new Error(`the text has no arm ${arm}`);
    const run = await trainTask({ open, plan, target: target.name, folder: text.folder }, recordedTask(task, recording[arm], text));
    checks.push(...compare(recording, arm, run));
  }
  return checks;
}

/** The task on the recorded rows, in the recorded order, with a checkpoint after the first step. */
function recordedTask(task: TrainTask, steps: readonly RecordedStep[], text: RecordedText): TrainTask {
  const { layout } = task.collate;
  const names = ['image', 'tokens', 'position', 'segment', ...(layout === 'pairs' ? ['chosen.mask', 'rejected.mask'] : ['mask'])];
  return {
    ...task,
    data: { source: 'tensors', params: { file: join(text.folder, `${layout}.safetensors`) }, count: task.data.count },
    collate: { layout: 'tensors', columns: Object.fromEntries(names.map((name) => [name, name])) },
    order: { kind: 'given', rows: steps.map((s) => s.rows) },
    checkpointEvery: 1,
  };
}

function compare(recording: Recording, arm: Arm, run: Trained): Check[] {
  const steps = recording[arm];
  const metric = (name: string, tolerance: number, measure: Measure): Check =>
    check(`${arm}: ${name}`, tolerance, measure, [
      { name: `steps 1 to ${steps.length}`, found: run.steps.map((s) => s[name]), wanted: steps.map((s) => Number(s[name])) },
    ]);
  // Relative to each step's own norm, which is stricter than to the largest.
  const norms = steps.map((s, i) => ({ name: `step ${i + 1}`, found: [run.steps[i]?.grad_norm], wanted: [s.grad_norm] }));
  // Adam's first step is the gradient's sign wherever the gradient is not tiny, so it is the most sensitive to rounding of all: there
  // PyTorch's own distance to its f64 run is granted where it is larger.
  const first = Math.max(WEIGHTS, recording.f32_against_f64[arm].weights_step1);
  return [
    metric('loss', 1e-5, 'absolute'),
    check(`${arm}: grad_norm`, 1e-5, 'of the largest', norms),
    check(
      `${arm}: learning_rate`,
      1e-6,
      'of the largest',
      steps.map((s, i) => ({ name: `step ${i + 1}`, found: [run.steps[i]?.learning_rate], wanted: [s.learning_rate] })),
    ),
    ...(arm === 'dpo' ? PAIR_METRICS.map(([name, measure]) => metric(name, 1e-5, measure)) : []),
    ...(arm === 'dpo' ? [referenceCheck(recording, run)] : []),
    weightCheck(recording, `${arm}.step1.`, `${arm}: weights after step 1`, first, (name) => run.after.get(1)?.get(name)?.data),
    weightCheck(recording, `${arm}.end.`, `${arm}: weights at the end`, WEIGHTS, (name) => run.weights.get(name)?.data),
  ];
}

function weightCheck(
  recording: Recording,
  prefix: string,
  quantity: string,
  tolerance: number,
  find: (name: string) => ArrayLike<number> | undefined,
): Check {
  const weights = [...below(recording, prefix)].filter(([name]) => !isKeyBias(name));
  const arrays = weights.map(([name, t]) => ({ name, found: find(ours(name)), wanted: t.data }));
  return check(quantity, tolerance, 'of the largest', arrays);
}

/** Sums over the real tokens of each answer, by row. */
function referenceCheck(recording: Recording, run: Trained): Check {
  const arrays = (['chosen', 'rejected'] as const).flatMap((side) => {
    const scored = run.reference?.get(`${side}.logp`);
    const mask = below(recording, 'data.').get(`${side}.mask`)?.data;
    const { answer } = recording.sizes;
    return recording.dpo.map((s, i) => ({
      name: `${side}, step ${i + 1}`,
      wanted: s.reference?.[side] ?? [],
      found: s.rows.map((row) =>
        Array.from({ length: answer }, (_, t) => row * answer + t).reduce(
          (sum, at) => sum + (scored && mask ? scored.data[at] * mask[at] : NaN),
          0,
        ),
      ),
    }));
  });
  return check('dpo: reference log-probabilities', 1e-5, 'of the largest', arrays);
}
