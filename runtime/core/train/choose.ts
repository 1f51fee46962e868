/** Which token is taken, given the logits of one row: decided on the host in float64. What is no answer (padding) is never taken. */
import { runError } from './errors.ts';

/** The likeliest token that is not among `never`; of equals the one of the smallest id. Throws R0633. */
export function likeliest(logits: Float32Array, never: readonly number[]): number {
  let best = -1;
  for (let id = 0; id < logits.length; id++) {
    if (!Number.isFinite(logits[id])) throw notFinite(id, logits[id]);
    if ((best < 0 || logits[id] > logits[best]) && !never.includes(id)) best = id;
  }
  return best;
}

/**
 * A token drawn from softmax(logits / temperature) over all tokens but `never`: the first at which the running sum of
 * probabilities exceeds `u`, a number of [0, 1). Throws R0633.
 */
export function drawn(logits: Float32Array, never: readonly number[], temperature: number, u: number): number {
  const top = likeliest(logits, never);
  const weights = Float64Array.from(logits, (x) => Math.exp((x - logits[top]) / temperature));
  for (const id of never) weights[id] = 0;
  const total = weights.reduce((sum, w) => sum + w, 0);
  let left = u * total;
  for (let id = 0; id < weights.length; id++) {
    left -= weights[id];
    if (left < 0) return id;
  }
  // Rounding may leave a last crumb, which belongs to no token.
  return top;
}

/** ln of the probability of token `id` under softmax(logits), in nats. */
export function logProbability(logits: Float32Array, id: number): number {
  const top = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  let sum = 0;
  for (const x of logits) sum += Math.exp(x - top);
  return logits[id] - top - Math.log(sum);
}

function notFinite(id: number, value: number): Error {
  return runError(
    'R0633',
    `the logit of token ${id} is ${value}`,
    'train with a smaller rate or clipping, or look at the weights that the model starts from',
  );
}
