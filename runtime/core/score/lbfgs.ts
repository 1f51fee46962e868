/**
 * Limited-memory BFGS for smooth convex functions in float64 (Nocedal & Wright, Numerical Optimization, 2nd ed.,
 * algorithms 7.4 and 7.5), with a backtracking line search on Armijo's condition. No randomness: equal input gives
 * equal bits on one JavaScript engine.
 */

/** Writes the gradient at `x` into `gradient` and returns the value. */
export type Objective = (x: Float64Array, gradient: Float64Array) => number;

export interface Minimum {
  x: Float64Array;
  value: number;
  iterations: number;
  /** Largest entry of the gradient by size. */
  gradient: number;
  /** Whether that is within the tolerance. */
  converged: boolean;
}

const MEMORY = 10;
const ARMIJO = 1e-4;
const ROUNDING = 1e-14;
const FLATTER = 0.9;
const MAX_HALVINGS = 40;

/**
 * Minimises `objective` from `start` until no entry of the gradient exceeds `tolerance`, until `iterations` are used
 * up, or until no step lowers the value any more (the limit of float64).
 */
export function minimise(objective: Objective, start: Float64Array, tolerance: number, iterations: number): Minimum {
  const n = start.length;
  let x = start.slice();
  let gradient = new Float64Array(n);
  let value = objective(x, gradient);
  const pairs: { s: Float64Array; y: Float64Array; rho: number }[] = [];
  let iteration = 0;
  while (iteration < iterations && largest(gradient) > tolerance) {
    const direction = twoLoop(gradient, pairs);
    let slope = dot(direction, gradient);
    if (slope >= 0) {
      // Rounding has spoilt the memory; begin again with the steepest descent.
      pairs.length = 0;
      for (let i = 0; i < n; i++) direction[i] = -gradient[i];
      slope = -dot(gradient, gradient);
    }
    const first = pairs.length === 0 ? Math.min(1, 1 / Math.sqrt(dot(gradient, gradient))) : 1;
    const found = lineSearch(objective, x, value, direction, slope, first);
    if (found === undefined) break;
    const s = new Float64Array(n);
    const y = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      s[i] = found.x[i] - x[i];
      y[i] = found.gradient[i] - gradient[i];
    }
    const curvature = dot(s, y);
    if (curvature > 1e-12 * dot(y, y)) {
      pairs.push({ s, y, rho: 1 / curvature });
      if (pairs.length > MEMORY) pairs.shift();
    }
    ({ x, value, gradient } = found);
    iteration++;
  }
  const size = largest(gradient);
  return { x, value, iterations: iteration, gradient: size, converged: size <= tolerance };
}

/** -H g, with H the inverse Hessian that the last steps suggest (algorithm 7.4). */
function twoLoop(gradient: Float64Array, pairs: readonly { s: Float64Array; y: Float64Array; rho: number }[]): Float64Array {
  const q = gradient.slice();
  const alpha = new Float64Array(pairs.length);
  for (let k = pairs.length - 1; k >= 0; k--) {
    const { s, y, rho } = pairs[k];
    alpha[k] = rho * dot(s, q);
    addScaled(q, -alpha[k], y);
  }
  const last = pairs.at(-1);
  if (last !== undefined) {
    const scale = 1 / (last.rho * dot(last.y, last.y));
    for (let i = 0; i < q.length; i++) q[i] *= scale;
  }
  for (let k = 0; k < pairs.length; k++) {
    const { s, y, rho } = pairs[k];
    addScaled(q, alpha[k] - rho * dot(y, q), s);
  }
  for (let i = 0; i < q.length; i++) q[i] = -q[i];
  return q;
}

interface Point {
  x: Float64Array<ArrayBuffer>;
  value: number;
  gradient: Float64Array<ArrayBuffer>;
}

/** The first of step, and ever shorter steps by quadratic interpolation, that lowers the value enough; undefined if none does. */
function lineSearch(
  objective: Objective,
  x: Float64Array,
  value: number,
  direction: Float64Array,
  slope: number,
  step: number,
): Point | undefined {
  const next = new Float64Array(x.length);
  const gradient = new Float64Array(x.length);
  for (let halving = 0; halving < MAX_HALVINGS; halving++) {
    for (let i = 0; i < x.length; i++) next[i] = x[i] + step * direction[i];
    const reached = objective(next, gradient);
    if (reached <= value + ARMIJO * step * slope) return { x: next, value: reached, gradient };
    // Close to the minimum the decrease drowns in rounding while the gradient is still exact: let that decide.
    const level = reached <= value + ROUNDING * Math.abs(value);
    if (level && Math.abs(dot(gradient, direction)) <= FLATTER * -slope) return { x: next, value: reached, gradient };
    const parabola = (-slope * step * step) / (2 * (reached - value - slope * step));
    step = Number.isFinite(parabola) ? Math.min(Math.max(parabola, 0.1 * step), 0.5 * step) : 0.5 * step;
  }
  return undefined;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function addScaled(a: Float64Array, scale: number, b: Float64Array): void {
  for (let i = 0; i < a.length; i++) a[i] += scale * b[i];
}

function largest(a: Float64Array): number {
  let most = 0;
  for (const value of a) most = Math.max(most, Math.abs(value));
  return most;
}
