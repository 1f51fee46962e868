/** Runs of `tiny.pivot` with one stage, and what it means that two of them are equal. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { packageRoot } from '../../cli/host.ts';
import type { Compiled } from '../../compiler/compile.ts';
import { formatDiagnostics } from '../../grammar/index.ts';
import type { TrainTask } from '../../plan/plan.ts';
import type { Target } from '../../plan/program.ts';
import type { OpenDevice } from '../../runtime/node/device/open.ts';
import { compileText } from '../support/compile-text.ts';
import { targetOf } from '../support/run-graph.ts';
import { trainTask } from '../support/train-plan.ts';
import type { Trained } from '../support/train-plan.ts';

export const STEPS = 50;
export const BATCH = 8;

/** With its usual epsilon Adam makes full steps of gradients that are zero but for rounding, and two equal runs drift apart. */
const OPTIMIZER = 'optimize adamw(lr: 5e-3, epsilon: 1e-4)';

export interface Variant {
  loss: 'sft' | 'dpo(beta: 0.1)';
  /** Fields of the stage beside those that all runs share. */
  fields?: string[];
  micro?: number;
  fuse?: boolean;
  target?: Target;
}

const FOLDER = join(packageRoot(), 'test', 'equivalence');
const TINY = readFileSync(join(FOLDER, 'tiny.pivot'), 'utf8');

/** `tiny.pivot` with the variant's stage; without a target everything is done but kernels. */
export function compileStage({ loss, fields = [], micro = BATCH, fuse, target }: Variant): Compiled {
  const common = ['train mllm', 'on pairs', `loss ${loss}`, OPTIMIZER, 'clip 1.0', `batch ${BATCH}, micro ${micro}`, `steps ${STEPS}`];
  const text = [TINY, 'stage tiny {', ...common, ...fields, '}', ''].join('\n');
  return compileText(text, { targets: target ? [target] : [], fuse }, FOLDER);
}

/** Trains one variant from the seed's weights, 50 steps of 8 pairs. */
export async function run(open: OpenDevice, variant: Variant): Promise<Trained & { task: TrainTask }> {
  const target = variant.target ?? targetOf(open);
  const { plan, diagnostics, texts } = compileStage({ ...variant, target });
  const task = plan?.tasks.find((t): t is TrainTask => t.kind === 'train');
  if (!plan || !task) throw new Error(formatDiagnostics(diagnostics, texts));
  return { ...(await trainTask({ open, plan, target: target.name, folder: FOLDER }, task)), task };
}

export function lossesOf({ steps }: Trained): number[] {
  return steps.map((s) => s.loss);
}

/** Both runs learnt something (a fifth of the first loss), and their losses agree within 1e-5 at most and 1e-6 in the mean. */
export function expectEqual(found: Trained, wanted: Trained): void {
  const [a, b] = [lossesOf(found), lossesOf(wanted)];
  expect(a).toHaveLength(STEPS);
  expect(b).toHaveLength(STEPS);
  expect(Math.max(...b.map((x) => Math.abs(x - b[0]))) / b[0]).toBeGreaterThan(0.2);
  const off = a.map((x, i) => Math.abs(x - b[i]));
  expect(Math.max(...off)).toBeLessThanOrEqual(1e-5);
  expect(off.reduce((sum, x) => sum + x, 0) / STEPS).toBeLessThanOrEqual(1e-6);
}
