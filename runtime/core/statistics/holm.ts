/** Several tests at once. */
import { statisticsError } from './errors.ts';

/**
 * Holm's step-down adjustment (Holm 1979, "A simple sequentially rejective multiple test procedure"): the adjusted p of the i-th
 * smallest of m is the largest of (m - j + 1) p_j over j <= i, at most 1. Those below 0.05 hold together with at most 5 % chance that
 * any of them is false, whatever the dependence between the tests. In the order given; R0711 for what is no probability.
 */
export function holm(p: readonly number[]): number[] {
  const wrong = p.find((value) => !(value >= 0 && value <= 1));
  if (wrong !== undefined) throw statisticsError('R0711', `${wrong} is no p-value`, 'give probabilities between 0 and 1');
  const order = p.map((_, i) => i).sort((a, b) => p[a] - p[b]);
  const adjusted = new Array<number>(p.length).fill(1);
  let floor = 0;
  order.forEach((i, rank) => {
    floor = Math.max(floor, Math.min(1, (p.length - rank) * p[i]));
    adjusted[i] = floor;
  });
  return adjusted;
}
