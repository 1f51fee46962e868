/** What is compared of a checkpoint, under the bounds that its README asks for: relative to each tensor's largest value, in f32. */
import { check } from '../check.ts';
import type { Check } from '../check.ts';
import type { Results } from '../../../compiler/graph/evaluate.ts';
import type { ModelRecording } from './recording.ts';

const HIDDEN = 2e-5;
const GRADIENTS = 5e-5;
const LOGPS = 1e-5;
/** Gradients that are zero by mathematics: of the largest gradient there is. */
const NOTHING = 1e-6;

/** Checks of recorded tensors whose names begin so, against outputs of the same names. */
export function compareAll(recording: ModelRecording, found: Results['output'], what: string, names: readonly string[]): Check[] {
  const groups: [string, number, (name: string) => boolean][] = [
    ['hidden states', HIDDEN, (name) => !isGradient(name) && !/logps$/.test(name) && !isHead(name)],
    ['pooled, projected, logits', HIDDEN, isHead],
    ['log-probabilities', LOGPS, (name) => /logps$/.test(name)],
    ['gradients', GRADIENTS, (name) => isGradient(name) && !Object.hasOwn(recording.zero, name)],
  ];
  const arrays = names.map((name) => ({ name, found: found[name], wanted: recording.tensors.get(name)?.data ?? [] }));
  const checks = groups.flatMap(([group, tolerance, of]) => {
    const some = arrays.filter(({ name }) => of(name));
    return some.length === 0 ? [] : [check(`${what}: ${group}`, tolerance, 'of the largest', some)];
  });
  const zeros = arrays.filter(({ name }) => Object.hasOwn(recording.zero, name));
  if (zeros.length === 0) return checks;
  const largest = Math.max(...arrays.filter(({ name }) => isGradient(name)).flatMap(({ wanted }) => Array.from(wanted, Math.abs)));
  const scaled = zeros.map(({ name, found: values, wanted }) => ({
    name,
    found: values && Array.from(values, (x) => x / largest),
    wanted: Array.from(wanted, () => 0),
  }));
  return [...checks, check(`${what}: gradients that are zero by mathematics`, NOTHING, 'absolute', scaled)];
}

/** `loss` and the like: sums that nearly cancel are compared as they are. */
export function compareLoss(recording: ModelRecording, what: string, name: string, found: ArrayLike<number> | undefined): Check {
  return check(`${what}: ${name}`, 1e-5, 'absolute', [{ name, found, wanted: [recording.scalars[name]] }]);
}

export function isGradient(name: string): boolean {
  return /(^|\.)(grad|head_grad)(\.|_pixel_values$)/.test(name);
}

function isHead(name: string): boolean {
  return /^(pooled|image_embeds|image_embeds_raw|logits)$/.test(name);
}
