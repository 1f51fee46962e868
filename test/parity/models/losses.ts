/** Preference losses on recorded sums of log-probabilities: the value of each, and its slope by the policy's sums. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Tensor } from '../../../runtime/core/safetensors/format.ts';
import { readSafetensors } from '../../../runtime/node/safetensors/files.ts';
import type { Bench } from '../bench.ts';
import { check } from '../check.ts';
import type { Check } from '../check.ts';
import { runLoss } from '../losses.ts';
import { universeOver } from './recording.ts';

/** Recorded losses as the standard library writes them. Two recordings are of what TRL makes of one option, and are the same loss. */
const TEXTS: Record<string, string> = {
  sigmoid: 'dpo',
  'sigmoid.beta0.5': 'dpo(beta: 0.5)',
  'sigmoid.smoothing0.1.trl': 'dpo',
  'sigmoid.smoothing0.1.conservative': 'dpo(smoothing: 0.1)',
  'robust.smoothing0.1': 'robust_dpo(smoothing: 0.1)',
  hinge: 'hinge',
  ipo: 'ipo',
  'ipo.sums': 'ipo(per_token: false)',
  sigmoid_norm: 'dpo_per_token',
  'exo_pair.smoothing0.001': 'exo(smoothing: 1e-3)',
  nca_pair: 'nca',
  bco_pair: 'bco',
  sppo_hard: 'sppo',
  apo_zero: 'apo_zero',
  apo_down: 'apo_down',
  discopop: 'discopop',
  'sigmoid.js_divergence': 'dpo_js',
  'simpo.beta2.gamma0.5': 'simpo(beta: 2, margin: 0.5)',
  'cpo.sigmoid': 'cpo(supervised: 0)',
  'orpo.odds': 'orpo(supervised: 0)',
  'kto_pair.kl_detached': 'kto',
};

/** Written down for what TRL once did; the gradient through the mean of the batch is a fault that it mended. */
const LEFT_OUT = ['kto_pair.gradient_through_kl'];

const UNIVERSE = `pivot 1
use std.model.scores.{ Scored, Pair }
use std.loss.{ ${[...new Set(Object.values(TEXTS).map((text) => text.split('(')[0]))].join(', ')} }

layer recorded_pair(chosen: [N, A], rejected: [N, A], chosen_mask: [N, A], rejected_mask: [N, A]) -> Pair {
  return Pair(chosen: Scored(logp: chosen, mask: chosen_mask), rejected: Scored(logp: rejected, mask: rejected_mask))
}
model pair = recorded_pair()
`;

export function hasLosses(folder: string): boolean {
  return existsSync(join(folder, 'expect', 'losses.json'));
}

/** Errors of values are absolute for those below 1, and of the value above; slopes are measured by the largest. */
export async function checkPreferenceLosses(bench: Bench, folder: string): Promise<Check[]> {
  const { values } = JSON.parse(readFileSync(join(folder, 'expect', 'losses.json'), 'utf8')) as { values: Record<string, number> };
  const { tensors } = await readSafetensors(join(folder, 'expect', 'losses.safetensors'));
  const get = (name: string): Tensor => {
    const found = tensors.get(name);
    if (!found) throw new Error(`the recorded losses have no ${name}`);
    return found;
  };
  const universe = universeOver(folder, UNIVERSE);
  const width = Math.max(...['chosen', 'rejected'].flatMap((side) => [...get(`tokens_${side}`).data]));
  /** Each sum spread evenly over its tokens: losses of sums and of means see what was recorded. */
  const side = (name: 'chosen' | 'rejected'): Tensor[] => {
    const tokens = get(`tokens_${name}`).data;
    const spread = (label: string, sums: ArrayLike<number> | undefined): Tensor => {
      const data = new Float32Array(tokens.length * width);
      tokens.forEach((count, n) => data.fill(sums === undefined ? 1 : sums[n] / count, n * width, n * width + count));
      return { name: label, dtype: 'f32', shape: [tokens.length, width], data };
    };
    return [
      spread(name, get(`policy_${name}`).data),
      spread(`${name}_mask`, undefined),
      spread(`reference.${name}.logp`, get(`reference_${name}`).data),
    ];
  };
  const [chosen, rejected] = [side('chosen'), side('rejected')];
  const checks: Check[] = [];
  for (const [name, value] of Object.entries(values)) {
    if (LEFT_OUT.includes(name)) continue;
    if (!Object.hasOwn(TEXTS, name)) throw new Error(`there is no text for the recorded loss ${name}`);
    const wanted = { chosen: get(`grad.${name}.chosen`), rejected: get(`grad.${name}.rejected`) };
    const { loss, slopes } = await runLoss(bench, universe, {
      name,
      loss: TEXTS[name],
      model: 'pair',
      inputs: [...chosen, ...rejected],
      wanted,
    });
    // The slope by a sum is that by each of its tokens.
    const bySum = (which: 'chosen' | 'rejected'): number[] => [...(slopes[which] ?? [])].filter((_, i) => i % width === 0);
    const big = Math.abs(value) > 1;
    checks.push(
      check(`loss ${name}: value`, 2e-6, big ? 'of the largest' : 'absolute', [{ name, found: loss, wanted: [value] }]),
      check(`loss ${name}: slopes`, 5e-6, 'of the largest', [
        { name, found: [...bySum('chosen'), ...bySum('rejected')], wanted: [...wanted.chosen.data, ...wanted.rejected.data] },
      ]),
    );
  }
  return checks;
}
